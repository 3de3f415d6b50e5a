"""What a check found: as a value, as a document for programs, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sayso.llm.findings import Finding
from sayso.llm.profile import STRANGER, Limit, Profile
from sayso.llm.stages import Stage


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        ok: whether conversations will work; warnings do not spoil it.
        findings: errors first.
        url: the URL that was called, without its query.
        first_token_ms: from the request to the first word; None if there was none.
        total_ms: until the check answered.
        answer: what the LLM said, as far as it came.
        suggestion: another base URL that was tried and works, if one was found.
        stages: how far the check got, in order.
        profile: what the endpoint tolerates, as far as that is known.
        complete: whether everything was looked at; else only what a save waits for.
        status: of the answer to the smoke test; None if there was none.
    """

    ok: bool
    findings: tuple[Finding, ...]
    url: str
    first_token_ms: float | None
    total_ms: float
    answer: str
    suggestion: str | None = None
    stages: tuple[Stage, ...] = ()
    profile: Profile = STRANGER
    complete: bool = False
    status: int | None = None


def make_document(report: CheckReport) -> dict[str, Any]:
    """`report` as the REST API answers it; JSON values only."""
    return {
        "state": "complete" if report.complete else "quick",
        "ok": report.ok,
        "url": report.url,
        "suggestion": report.suggestion,
        "answer": report.answer,
        "firstTokenMs": report.first_token_ms,
        "totalMs": report.total_ms,
        "stages": [show_stage(stage) for stage in report.stages],
        "findings": [show_finding(finding) for finding in report.findings],
        "profile": _profile(report.profile) if report.ok else None,
    }


def show_stage(stage: Stage) -> dict[str, Any]:
    """A stage as JSON."""
    return {"name": stage.name.value, "state": stage.state.value, "ms": stage.ms}


def show_finding(finding: Finding) -> dict[str, str]:
    """A finding as JSON."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "evidence": finding.evidence,
        "fix": finding.fix,
    }


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "answers": profile.answers.value,
        "limit": profile.limit.value,
        "temperature": profile.temperature,
        "system": profile.system,
        "alternates": profile.alternates,
        "thinksFirst": profile.thinks_first,
        "refused": sorted(profile.refused),
        "tools": profile.tools,
        "streamOptions": profile.stream_options,
        "unicode": profile.unicode,
        "longPrompt": profile.long_prompt,
        "parallel": profile.parallel,
        "cancels": profile.cancels,
        "keepAlive": profile.keep_alive,
    }


def describe_profile(profile: Profile) -> Iterator[str]:
    """What a conversation sends to an endpoint, and what it can expect, in a line each."""
    yield f"Answers come as: {profile.answers.value}"
    roles = "in a system message" if profile.system else "in the caller's first message"
    yield f"The agent's prompt goes: {roles}"
    if profile.limit is not Limit.NONE:
        yield f"The longest answer is sent as: {profile.limit.value}"
    if profile.refused:
        yield f"Left out: {', '.join(sorted(profile.refused))}"
    tried = {
        "tools": profile.tools,
        "usage in the stream": profile.stream_options,
        "letters beyond ASCII": profile.unicode,
        "long prompts": profile.long_prompt,
        "callers at once": profile.parallel,
        "stops when hung up on": profile.cancels,
        "keeps connections": profile.keep_alive,
    }
    for what, verdict in tried.items():
        if verdict is not None:
            yield f"{what[0].upper()}{what[1:]}: {'yes' if verdict else 'no'}"
