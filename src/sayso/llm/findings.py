"""What is wrong with an LLM, said in one sentence with its proof and the way out. Pure.

The client, the readers and the check all make their findings here, through a `Scene`: it knows
the URL that was called and which secrets must not be quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from sayso.errors import Blame, LlmError
from sayso.llm.catalogue import CATALOGUE, Severity

MAX_EVIDENCE_CHARS = 200
"""How much of somebody's answer is quoted in a finding."""
MAX_QUOTED_CHARS = 4096
"""How much of it is looked at: much of the beginning may be blank."""
MIN_SECRET_CHARS = 4
"""Shorter values are not searched for: they would black out ordinary words."""
SECRET = "[secret]"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed about an LLM: what, how bad, the proof, and the next step."""

    code: str
    severity: Severity
    message: str
    evidence: str
    fix: str


_OWNERS = frozenset(
    (
        "url.bad",
        "header.bad",
        "body.bad",
        "redirect.refused",
        "auth.refused",
        "path.not_found",
        "model.unknown",
        "http.html",
    )
)


def blame_for(code: str) -> Blame:
    """Who must act for a finding to go away."""
    if code == "outbound.refused":
        return Blame.OPERATOR
    return Blame.OWNER if code in _OWNERS else Blame.LLM


class FindingError(LlmError):
    """An `LlmError` that carries its whole finding."""

    def __init__(self, detail: Finding) -> None:
        super().__init__(detail.message, finding=detail.code, hint=detail.fix)
        self.blame = blame_for(detail.code)
        self.detail = detail


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Black out every one of `secrets` in `text`."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= MIN_SECRET_CHARS:
            text = text.replace(secret, SECRET)
    return text


def show_url(url: str) -> str:
    """`url` as it may be printed: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the given URL"
    if not parts.netloc and "@" in parts.path:  # without http://, a user looks like a path
        return show_url(url.rpartition("@")[2])
    host = parts.netloc.rpartition("@")[2]
    query = "…" if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def quote(evidence: str | bytes, secrets: tuple[str, ...] = ()) -> str:
    """The first bytes of an answer on one line, secrets blacked out."""
    text = evidence.decode("utf-8", "replace") if isinstance(evidence, bytes) else evidence
    # Secrets first: half of one, cut off, would not be found.
    text = " ".join(redact(text, secrets)[:MAX_QUOTED_CHARS].split())
    text = "".join(c if c.isprintable() else "�" for c in text)
    return text if len(text) <= MAX_EVIDENCE_CHARS else text[: MAX_EVIDENCE_CHARS - 1] + "…"


def round_s(wait_s: float) -> float:
    """A wait as a person says it: 12 s and not 11.999 s."""
    return round(wait_s, 1) if wait_s >= 1 else float(f"{wait_s:.1g}")


@dataclass(frozen=True, slots=True, repr=False)
class Scene:
    """Where findings are made: the URL that is called, and what must not be quoted."""

    url: str
    secrets: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The call, as messages name it."""
        return redact(f"POST {show_url(self.url)}", self.secrets)

    def find(self, code: str, evidence: str | bytes = "", **facts: object) -> Finding:
        """Make the finding `code` of the catalogue; `facts` fill its sentence."""
        entry = CATALOGUE[code]
        shown = quote(evidence, self.secrets)
        clean = {
            name: quote(fact, self.secrets) if isinstance(fact, str) else fact
            for name, fact in facts.items()
        }
        message = entry.sentence.format_map({"where": self.where, **clean})
        if shown:
            message += f" It said: {shown}"
        return Finding(code, entry.severity, message, shown, entry.fix.format_map(clean))
