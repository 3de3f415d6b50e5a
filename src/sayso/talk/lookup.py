"""Looks up what the agent knows about the caller's words, before its LLM is asked: with a clock.

A conversation waits for what it needs to answer well, but not for long: what comes too late is
dropped, and the turn's record says so. Of several places to look, the first that works counts. Each
has its own time, so that a slow one takes none from those behind it. Nothing found behind one that
failed is no answer: what was asked may be known there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from sayso.clock import Clock
from sayso.errors import KnowledgeError
from sayso.knowledge import Retriever
from sayso.knowledge.passages import Found
from sayso.llm import Excerpt, Message
from sayso.talk.record import Stopwatch

CONTEXT_LINES = 4
"""Lines before the question that a retriever is shown."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where one agent's knowledge is looked up.

    Attributes:
        places: who is asked, in order: the next one when one fails or is late.
        limit: the most passages an answer may stand on.
        deadline_s: how long an answer waits for each of them, in seconds.
        own: the owner's own server, asked before all `places`; it keeps to a deadline of its own.
    """

    places: tuple[Retriever, ...] = ()
    limit: int = 5
    deadline_s: float = 0.25
    own: Retriever | None = None

    async def add(
        self,
        prompt: Sequence[Message],
        watch: Stopwatch,
        clock: Clock,
        report: Callable[[KnowledgeError], None],
    ) -> Sequence[Message]:
        """`prompt` with what was found for the caller's last words.

        The `watch` keeps what was found, or why nothing was; `report` is told of each failure.
        """
        asked, context = read_question(prompt)
        if not asked or not (self.places or self.own):
            return prompt

        def tell(error: KnowledgeError) -> None:
            if error is _LATE:
                watch.note("retrieval", "late")
            report(error)

        found = await self.find(asked, context, tell)
        if found is None:
            return _mark(prompt, "failed")
        watch.mark("retrieval", clock.now_s())
        for one in found:
            watch.append("passages", show(one))
        return add_excerpts(prompt, found)

    async def find(
        self, asked: str, context: Sequence[str], report: Callable[[KnowledgeError], None]
    ) -> Sequence[Found] | None:
        """What is known about what was `asked`; None if that could not be looked up.

        `report` is told why.
        """
        missed = False
        for place, within_s in self._in_order():
            try:
                async with asyncio.timeout(within_s):
                    found = await place.find(asked, context, self.limit)
                    return found if found or not missed else None
            except TimeoutError:
                report(_LATE)
            except KnowledgeError as error:
                report(error)
            missed = True
        return None

    def _in_order(self) -> Iterator[tuple[Retriever, float | None]]:
        """Who is asked, and how long each is waited for, in seconds."""
        if self.own is not None:
            yield self.own, None
        for place in self.places:
            yield place, self.deadline_s


_LATE: Final = KnowledgeError(
    "what the agent knows was not found in time; the answer did without",
    finding="retrieval.late",
    hint="Raise SAYSO_RETRIEVAL_TIMEOUT_S, or give this server more processor.",
)

NOWHERE = Lookup()
"""For an agent that knows nothing but its prompt."""


def read_question(prompt: Sequence[Message]) -> tuple[str, list[str]]:
    """The caller's last words, and what was said before them, oldest first."""
    said = [line for line in prompt if line.role != "system"]
    if not said or said[-1].role != "user":
        return "", []
    return said[-1].content, [line.content for line in said[-1 - CONTEXT_LINES : -1]]


def add_excerpts(prompt: Sequence[Message], found: Sequence[Found]) -> Sequence[Message]:
    """`prompt` with what was found beside its last line."""
    return _mark(prompt, "done", tuple(map(_quote, found)))


def _mark(
    prompt: Sequence[Message],
    search: Literal["done", "failed"],
    excerpts: tuple[Excerpt, ...] = (),
) -> Sequence[Message]:
    return [*prompt[:-1], replace(prompt[-1], excerpts=excerpts, search=search)]


def _quote(one: Found) -> Excerpt:
    passage = one.passage
    return Excerpt(
        passage.text,
        passage.source_name,
        passage.page,
        passage.title,
        passage.url,
        one.score,
        measured=bool(passage.source_id),  # an owner's own retrieval has no sources of ours
    )


def show(one: Found) -> dict[str, str | float | None]:
    """What a turn's record keeps of a passage: which one, and how well it fitted."""
    passage = one.passage
    return {
        "id": passage.id,
        "source": passage.source_name,
        "url": passage.url or None,
        "page": passage.page,
        "score": one.score,
    }
