"""Holds an agent to its knowledge: what nothing known is about, its LLM is not asked.

    request ─► closest passage, other subject, words ─► none: "I don't have that in my notes"
                                                     ├─► thin: the LLM, told that nothing was found
                                                     ├─► late: the LLM, told not to guess
                                                     └─► firm: the LLM

An LLM that is told to answer only from a text still answers what it knows otherwise. Who says
hello, gives a name or speaks a language the embedder was not taught, is always answered by the LLM:
silence by mistake is worse than what the prompt alone can prevent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Protocol

import structlog

from sayso.llm import Message, Mind, Mishap, Note, Piece, Spare, Tool, forget, ignore, no_spare
from sayso.llm.builtin import refuse
from sayso.llm.grounds import Grounds, Weighed, is_english, is_request, judge
from sayso.llm.notes import Notes, recognise_small_talk

WEIGH_S: Final = 0.5
"""How long an answer waits to know what it can stand on, in seconds; 10 ms are usual. On a machine
that is busy a pause is better than an LLM that guesses."""

log = structlog.get_logger("sayso.llm")


class Weighs(Protocol):
    """What holding an agent to its knowledge needs of the built-in mind."""

    async def weigh(self, notes: Notes, messages: Sequence[Message]) -> Weighed | None:
        """How close the last of `messages` is to what the agent knows; None if that is nothing.

        Raises TimeoutError while what it knows is not read.
        """
        ...


class Grounded:
    """The mind of an agent that answers only from what it knows."""

    def __init__(self, mind: Mind, scales: Weighs, notes: Notes, language: str) -> None:
        """`language` is the one the agent speaks, by the contract's name."""
        self._mind = mind
        self._scales = scales
        self._notes = notes
        own = f"{notes.critical_knowledge}\n{notes.agent_prompt}".strip()
        self._english = language == "english" and (not own or is_english(own))

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        """See `Mind`; says that it does not know where the LLM would have to guess.

        One that is offered `tools` is asked all the same: what is not known may be done, or asked
        of a function.
        """
        grounds, missing = await self.find_grounds(messages)
        if grounds is Grounds.NONE and tools:
            grounds = Grounds.THIN
        note("grounds", grounds.value)
        if grounds is Grounds.NONE:
            yield refuse(missing)
            return
        if grounds in {Grounds.THIN, Grounds.LATE}:
            messages = [*messages[:-1], _caution(messages[-1], grounds, missing)]
        async with aclosing(self._mind.reply(messages, mishap, spare, note, tools)) as pieces:
            async for piece in pieces:
                yield piece

    async def find_grounds(self, messages: Sequence[Message]) -> tuple[Grounds, tuple[str, ...]]:
        """What an answer to the last of `messages` can stand on, and what of it nothing mentions.

        A line of the log says if that was not known in time.
        """
        try:
            weighed = await self.weigh(messages)
        except TimeoutError as late:
            log.warning("grounds_late", reason=str(late) or f"it took longer than {WEIGH_S} s")
            return Grounds.LATE, ()
        missing = tuple(one.phrase for one in weighed.odd) if weighed else ()
        return self._judge(weighed, messages), missing

    async def weigh(self, messages: Sequence[Message]) -> Weighed | None:
        """How close the last of `messages` is to what is known; None if that does not matter.

        Raises TimeoutError if nobody can tell in time.
        """
        last = messages[-1] if messages else None
        if last is None or last.role != "user" or not is_request(last.content):
            return None
        if recognise_small_talk(last.content):
            return None
        async with asyncio.timeout(WEIGH_S):
            return await self._scales.weigh(self._notes, messages)

    def _judge(self, weighed: Weighed | None, messages: Sequence[Message]) -> Grounds:
        grounds = judge(weighed)
        if grounds is Grounds.NONE and not self._can_refuse(messages[-1]):
            return Grounds.THIN
        return grounds

    def _can_refuse(self, last: Message) -> bool:
        """Whether a weak match surely means that nothing is known."""
        return (
            self._english
            and last.search != "failed"
            and is_english(last.content)
            and all(one.measured and is_english(one.text) for one in last.excerpts)
        )


def _caution(last: Message, grounds: Grounds, missing: tuple[str, ...]) -> Message:
    """The caller's words with what an LLM is told about how well it can know the answer."""
    if grounds is Grounds.LATE:
        return replace(last, unweighed=True)
    return replace(last, unfounded=True, missing=missing)
