"""What checks of an owner's servers find, and the refusal to save what did not pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sayso.errors import BadRequestError


@dataclass(frozen=True, slots=True)
class LlmIssue:
    """One thing a check of a server found: a stable code, a sentence, the next step, the proof."""

    code: str
    message: str
    fix: str
    severity: Literal["error", "warning", "note"]
    evidence: str = ""
    field: str | None = None
    """The part of the agent it is about, as a dotted path; None where one server was looked at."""


def read_issues(stored: Iterable[Mapping[str, Any]]) -> list[LlmIssue]:
    """What a check noticed, from the store."""
    return [LlmIssue(**one) for one in stored]


def dump_issues(issues: Iterable[LlmIssue]) -> list[dict[str, Any]]:
    """What a check noticed, for the store and for answers."""
    return [asdict(issue) for issue in issues]


def refuse(who: str, issues: Sequence[LlmIssue], field: str) -> BadRequestError:
    """The refusal to save `who` did not pass; `field` is the first one that failed."""
    errors = [issue for issue in issues if issue.severity == "error"]
    told = " ".join(_sentence(issue.message) for issue in errors)
    return BadRequestError(
        f"{who} did not pass the check, so nothing was saved. {told}",
        field=field,
        hint=" ".join(dict.fromkeys(_sentence(issue.fix) for issue in errors if issue.fix)),
        details=tuple(dump_issues(issues)),
    )


def _sentence(text: str) -> str:
    """`text` with a full stop, so that several read as sentences."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
