"""Makes replies: answers of the agent's LLM to what was said, and lines known beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from sayso.errors import TalkCode
from sayso.llm import Spare
from sayso.talk.agent import Agent
from sayso.talk.arrivals import Arrivals
from sayso.talk.calls import Errand
from sayso.talk.hands import Hands
from sayso.talk.patience import Manners
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Mouth, Reply, Write
from sayso.talk.troubles import Troubles


class Composer:
    """Makes the replies of one conversation, in the language that is spoken.

    Args:
        agent: who replies.
        mouth: what replies are spoken with.
        hands: what the LLM may do meanwhile.
        troubles: is told what failed.

    Attributes:
        agent: as it is in the language that is spoken now.
    """

    def __init__(self, agent: Agent, mouth: Mouth, hands: Hands, troubles: Troubles) -> None:
        self.agent = agent
        self._mouth = mouth
        self._hands = hands
        self._troubles = troubles
        self._arrivals = Arrivals(agent.arrival)

    def switch(self, language: str) -> None:
        """Make further replies in another language."""
        self.agent = agent = self.agent.speaking(language)
        broke_off = agent.phrases.llm_broke_off
        self._mouth = replace(
            self._mouth, voice=agent.voice, language=language, broke_off=broke_off
        )
        self._hands.manners = make_manners(agent, self._hands.manners.after_s)

    def answer(
        self,
        number: int,
        words: str,
        watch: Stopwatch,
        ready: asyncio.Event,
        on_start: Callable[[], None],
    ) -> Reply:
        """A reply of the LLM to what the ledger holds; it acts once it is `ready`."""
        prompt = self.agent.prompt(self._mouth.ledger.prompt)
        mishap = partial(self._troubles.note_mishap, watch)
        errand = Errand(number, prompt, words, mishap, watch, ready)
        waits = bool(self.agent.lookup.places) or self._arrivals.possible
        write = partial(self._prepare_and_write, errand) if waits else self._hands.write(errand)
        if_silent = self.agent.failure_message or self.agent.phrases.llm_failed
        return self._make(number, write, watch, on_start, if_silent)

    def say(self, number: int, text: str, watch: Stopwatch, on_start: Callable[[], None]) -> Reply:
        """A reply of words that are known."""
        return self._make(number, lambda _: _as_pieces(text), watch, on_start)

    async def _prepare_and_write(self, errand: Errand, spare: Spare) -> AsyncGenerator[str, None]:
        """A reply that stands on what the agent knows about the caller's words, and its tools."""
        await self._arrivals.wait(errand.watch)
        prompt = await self.agent.lookup.add(
            errand.prompt,
            errand.watch,
            self._mouth.clock,
            partial(self._troubles.note_mishap, errand.watch),
        )
        async with aclosing(self._hands.write(replace(errand, prompt=prompt))(spare)) as pieces:
            async for piece in pieces:
                yield piece

    def _make(
        self,
        number: int,
        write: Write,
        watch: Stopwatch,
        on_start: Callable[[], None],
        if_silent: str = "",
    ) -> Reply:
        return Reply(
            number,
            write,
            self._mouth,
            watch,
            on_start=on_start,
            on_fault=partial(self._troubles.report, code=TalkCode.INTERNAL),
            if_silent=if_silent,
        )


def make_manners(agent: Agent, after_s: float) -> Manners:
    """How `agent` parts from callers, and asks them to wait after so many seconds."""
    usual = agent.phrases
    filler, goodbye = agent.filler or usual.one_moment, agent.goodbye or usual.goodbye
    return Manners(filler, after_s, goodbye, usual.connecting)


async def _as_pieces(text: str) -> AsyncGenerator[str, None]:
    yield text
