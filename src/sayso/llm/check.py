"""Whether an agent's LLM works, asked the way a conversation would ask (contract §3.3).

One user message asks to repeat the smoke-test sentence, streamed. Everything that would leave a
caller in silence is found here, before the agent is saved, and said in one sentence with the
proof and the next step.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit, urlunsplit

from sayso.llm import Endpoint, Message
from sayso.llm.client import Exchange, LlmClient, shorten
from sayso.llm.findings import Finding, FindingError, Severity, redact, show_url

SMOKE_SENTENCE = "The smoke test has passed."
"""With a capital T: PlayAI's own test server answers only this spelling."""
PROMPT = f'Repeat this sentence exactly, and say nothing else: "{SMOKE_SENTENCE}"'
LATE_S = 1.5
"""A first word later than this is worth a warning, in seconds."""
MAX_CANDIDATES = 6
"""How many other base URLs are tried when the given one is wrong."""
CANDIDATE_S = 3.0
"""How long each of them may take, in seconds."""

_WRONG_PLACE = frozenset(
    ("body.not_sse", "http.html", "path.not_found", "redirect.refused", "stream.no_choices")
)
_PASTED = re.compile(
    r"(/chat)?/completions$|/(chat|models|responses|embeddings|messages|docs)$", re.IGNORECASE
)
_DOUBLED = re.compile(r"(/[^/]+)\1+(?=/|$)")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        ok: whether conversations will work; warnings do not spoil it.
        findings: errors first.
        url: the URL that was called, without its query.
        first_token_ms: from the request to the first word; None if there was none.
        total_ms: the whole check.
        answer: what the LLM said, as far as it came.
        suggestion: another base URL that was tried and works, if one was found.
    """

    ok: bool
    findings: tuple[Finding, ...]
    url: str
    first_token_ms: float | None
    total_ms: float
    answer: str
    suggestion: str | None = None


class LlmCheck:
    """Checks endpoints, each within one budget of time."""

    def __init__(self, client: LlmClient, *, budget_s: float = 12.0) -> None:
        """Check with `client`, for at most `budget_s` seconds (`llm_check_timeout_s`)."""
        self._client = client
        self._budget_s = budget_s

    async def check(self, endpoint: Endpoint) -> CheckReport:
        """Try `endpoint`, and look for the right base URL if it is wrong. Never raises LlmError."""
        now_s = asyncio.get_running_loop().time
        started_s = now_s()
        report, location = await self._probe(endpoint, self._budget_s)
        if not report.ok and report.findings[0].code in _WRONG_PLACE:
            until_s = started_s + self._budget_s
            found = await self._search(endpoint, location, until_s)
            report = _propose(report, found) if found else report
        return replace(report, total_ms=_ms(now_s() - started_s))

    async def _probe(self, endpoint: Endpoint, budget_s: float) -> tuple[CheckReport, str | None]:
        """One request; its report, and where it was redirected to."""
        said: list[str] = []
        failure: Finding | None = None
        exchange: Exchange | None = None
        try:
            exchange = self._client.ask(
                endpoint, [Message("user", PROMPT)], shorten(self._client.deadlines, budget_s)
            )
            async with aclosing(exchange.pieces()) as pieces:
                async for piece in pieces:
                    said.append(piece)  # noqa: PERF401 - what came before a failure counts
        except FindingError as error:
            failure = error.detail
        if exchange is None:
            url = redact(show_url(endpoint.base_url), ())
            findings = (failure,) if failure else ()
            return CheckReport(False, findings, url, None, 0.0, ""), None
        return _report(exchange, failure, "".join(said)), exchange.location

    async def _search(self, endpoint: Endpoint, location: str | None, until_s: float) -> str | None:
        """The first other base URL that works."""
        now_s = asyncio.get_running_loop().time
        for base_url in list_candidates(endpoint.base_url, location):
            left_s = until_s - now_s()
            if left_s <= 0:
                return None
            candidate = replace(endpoint, base_url=base_url)
            report, _ = await self._probe(candidate, min(left_s, CANDIDATE_S))
            if report.ok:
                return base_url
        return None


def list_candidates(base_url: str, location: str | None = None) -> list[str]:
    """Base URLs that may have been meant, likeliest first; all on the same host.

    A pasted path is cut off, doubled parts are folded, `/v1` is added or taken away, and a
    redirect on the same host is followed: the key goes nowhere else.
    """
    parts = urlsplit(base_url.strip())
    path = parts.path.rstrip("/")
    bare = _PASTED.sub("", path)
    folded = _DOUBLED.sub(r"\1", bare)
    paths = [bare, folded]
    for start in (folded, bare):
        paths += [start.removesuffix("/v1") if start.endswith("/v1") else f"{start}/v1"]
    paths += ["/v1", "", "/api/v1", "/openai/v1", "/api"]
    found = [urlunsplit((parts.scheme, parts.netloc, p, parts.query, "")) for p in paths]
    if location and (redirected := _follow(base_url, location)):
        found.insert(0, redirected)
    given = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    return [url for url in dict.fromkeys(found) if url != given][:MAX_CANDIDATES]


def _follow(base_url: str, location: str) -> str | None:
    """The base URL a redirect points to, if that is on the same host and no less private."""
    called = base_url.strip().rstrip("/") + "/chat/completions"
    try:
        here, there = urlsplit(called), urlsplit(urljoin(called, location))
        same = here.hostname == there.hostname and here.port == there.port
    except ValueError:
        return None
    upgraded = same and (here.scheme, there.scheme) == ("http", "https") and here.port is None
    if not upgraded and not (same and here.scheme == there.scheme):
        return None
    path = there.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((there.scheme, there.netloc, path, there.query, ""))


def _report(exchange: Exchange, failure: Finding | None, answer: str) -> CheckReport:
    findings = [failure] if failure else []
    findings += exchange.reader.warnings.values()
    if failure is None and "smoke test has passed" not in answer.lower():
        findings.append(exchange.scene.find("answer.different", answer))
    first_s = exchange.first_token_s
    if failure is None and first_s is not None and first_s > LATE_S:
        findings.append(exchange.scene.find("answer.late", first_token_s=first_s, limit_s=LATE_S))
    return CheckReport(
        ok=all(finding.severity is not Severity.ERROR for finding in findings),
        findings=tuple(
            sorted(findings, key=lambda finding: list(Severity).index(finding.severity))
        ),
        url=exchange.url,
        first_token_ms=None if first_s is None else _ms(first_s),
        total_ms=0.0,
        answer=answer,
    )


def _propose(report: CheckReport, base_url: str) -> CheckReport:
    """The same report, whose first fix names the base URL that works."""
    shown = show_url(base_url)
    first = replace(report.findings[0], fix=f"Set baseURL to {shown}: it was tried and works.")
    return replace(report, findings=(first, *report.findings[1:]), suggestion=shown)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
