"""Asks a retrieval server before an agent is saved, as a conversation would ask it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from sayso.agents.issues import LlmIssue, refuse
from sayso.agents.reports import KnowledgeCheckView, PassageView
from sayso.clock import Clock
from sayso.errors import KnowledgeError
from sayso.knowledge.passages import Found
from sayso.knowledge.place import PROBE, Place
from sayso.security.masks import split_query

MAX_SHOWN_CHARS = 500
"""How much of a passage a report shows."""

Ask = Callable[[Place, str], Awaitable[Sequence[Found]]]
"""Asks a retrieval server something. Raises KnowledgeError."""

_FIELD = re.compile(r"\bknowledge\.[A-Za-z]+")
"""A field of `knowledge` in a sentence."""


class KnowledgeChecks:
    """The checks of retrieval servers."""

    def __init__(self, clock: Clock, ask: Ask, longest_s: float) -> None:
        """`longest_s`: how long a conversation waits, whatever an agent says."""
        self._clock = clock
        self._ask = ask
        self._longest_s = longest_s

    async def check(self, place: Place, query: str | None = None) -> KnowledgeCheckView:
        """Ask `place`; what it found, and what is to be said about it."""
        began_s = self._clock.now_s()
        found: Sequence[Found] = ()
        try:
            found = await self._ask(place.within(self._longest_s), query or PROBE)
        except KnowledgeError as error:
            issues = [_make_issue(error.finding, error.message, error.hint or "", "error")]
        else:
            issues = self._list_oddities(place, query or PROBE, found)
        return KnowledgeCheckView(
            ok=all(issue.severity != "error" for issue in issues),
            url=split_query(place.url)[0],
            total_ms=round((self._clock.now_s() - began_s) * 1000, 1),
            findings=issues,
            passages=[_show(one) for one in found],
        )

    async def demand(self, place: Place) -> list[LlmIssue]:
        """What is odd about `place`. Raises BadRequestError when a conversation gets nothing."""
        view = await self.check(place)
        if not view.ok:
            raise refuse("The agent's retrieval server", view.findings, "knowledge")
        return view.findings

    def _list_oddities(self, place: Place, query: str, found: Sequence[Found]) -> list[LlmIssue]:
        issues = []
        if place.timeout_s > self._longest_s:
            issues.append(
                _make_issue(
                    "retrieval.capped",
                    f"knowledge.timeoutMs allows {place.timeout_s * 1000:.0f} ms, but a "
                    f"conversation waits {self._longest_s * 1000:.0f} ms at most.",
                    "Lower knowledge.timeoutMs, or let the operator raise "
                    "SAYSO_OWN_RETRIEVAL_TIMEOUT_S.",
                    "warning",
                )
            )
        if not found:
            issues.append(
                _make_issue(
                    "retrieval.empty",
                    f"It answered, but found nothing for {query!r}.",
                    "Ask it something it knows with POST /api/v1/knowledge-checks; if that finds "
                    "nothing either, look at knowledge.knowledgeId.",
                    "warning",
                )
            )
        return issues


def _make_issue(
    code: str, message: str, fix: str, severity: Literal["error", "warning"]
) -> LlmIssue:
    named = _FIELD.search(fix)
    message = message[:1].upper() + message[1:]
    return LlmIssue(code, message, fix, severity, field=named[0] if named else "knowledge")


def _show(one: Found) -> PassageView:
    passage = one.passage
    return PassageView(
        text=passage.text[:MAX_SHOWN_CHARS],
        source=passage.source_name,
        page=passage.page,
        score=one.score,
    )
