"""Within one reply: offers the LLM functions, has done what it calls, and lets it go on.

    prompt ─► LLM ─► words ─► caller
               ▲ └─► calls ─► toolbox ─┐
               └─── results ◄──────────┘

A draft waits with its first call until it is taken up, so that what nobody hears has no effect.
What becomes of each call is in `calls.py`; while it takes long, `patience.py` has words.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

from sayso.clock import Clock
from sayso.functions import Toolbox
from sayso.llm import Message, Mind, Piece, Spare, ToolCall
from sayso.talk.calls import Act, Calls, Errand, Settled, Start
from sayso.talk.history import Ledger
from sayso.talk.patience import Manners, Patience
from sayso.talk.record import Row
from sayso.talk.reply import Aside, Write

MAX_ROUNDS: Final = 5
"""How often an LLM is asked again within one reply; then it is offered nothing, and must answer."""
MAX_UNHEARD: Final = 50
"""Calls of replies nobody heard that wait for the record of the next."""


@dataclass(slots=True)
class _Round:
    """What the LLM said and called when it was asked once."""

    said: str = ""
    calls: list[ToolCall] = field(default_factory=list)


class Hands:
    """What one conversation does for its LLM.

    Args:
        mind: the LLM.
        toolbox: what it may call.
        ledger: keeps what was done.
        clock: tells the time.
        manners: how callers are asked to wait, and parted from.
        start: runs work as a part of the conversation, which ends only after it.
        settled: is given the lines of what was done for replies that are over.
    """

    def __init__(
        self,
        mind: Mind,
        toolbox: Toolbox,
        *,
        ledger: Ledger,
        clock: Clock,
        manners: Manners,
        start: Start,
        settled: Settled,
    ) -> None:
        self._mind = mind
        self._clock = clock
        self.manners = manners
        self._calls = Calls(toolbox, ledger, clock, start, settled)
        self._under_way: tuple[Errand, Sequence[Act]] | None = None
        self._unheard: list[Row] = []
        self._parting = 0
        self._transfer = (0, "")

    def write(self, errand: Errand) -> Write:
        """What begins the text of a reply."""
        if self._calls.tools:
            for row in self._unheard:
                errand.watch.append("calls", row)
            self._unheard.clear()
            return partial(self._reply, errand)
        # Who offers no tools gets words only.
        ask = partial(self._mind.reply, errand.prompt, errand.mishap, note=errand.watch.note)
        return cast("Write", ask)

    def heard(self, number: int) -> None:
        """The caller heard something of reply `number`, such as what it asks them to confirm."""
        self._calls.consent.heard(number)

    def is_last(self, number: int) -> bool:
        """Whether the LLM ends the conversation by reply `number`."""
        return number == self._parting

    def transfers_to(self, number: int) -> str:
        """To whom reply `number` hands the caller on; "" if to nobody."""
        return self._transfer[1] if number == self._transfer[0] else ""

    def let_go(self, number: int, *, heard: bool) -> None:
        """Reply `number` is interrupted: what may be given up is, the rest goes on.

        The calls of one that nobody `heard` go on the record of the next, for it has none.
        """
        if self._under_way is None or self._under_way[0].number != number:
            return
        errand, acts = self._under_way
        self._calls.leave(errand, acts)
        if not heard:
            self._unheard = [*self._unheard, *errand.watch.rows("calls")][-MAX_UNHEARD:]

    def close(self) -> None:
        """The conversation is over: let go of it."""
        self._calls.close()
        self._under_way = None

    async def _reply(self, errand: Errand, spare: Spare) -> AsyncGenerator[str, None]:
        """The words of a reply, with whatever was to be done before and between them."""
        messages = list(errand.prompt)
        patience = Patience(lambda: self.manners, spare, self._clock, errand.watch)
        async with aclosing(self._catch_up(messages, errand, patience)) as fillers:
            async for text in fillers:
                yield text
        for nth in range(MAX_ROUNDS + 1):
            this, tools = _Round(), self._calls.tools if nth < MAX_ROUNDS else ()
            asking = self._mind.reply(messages, errand.mishap, spare, errand.watch.note, tools)
            async with aclosing(patience.hear(asking)) as pieces:
                async for text in _listen(pieces, this):
                    yield text
            if not this.calls:
                return
            await errand.ready.wait()
            if this.said.strip():
                yield _END if this.said.rstrip()[-1:].isalnum() else " "
            acts = self._calls.begin(this.calls, errand, nth)
            if this.said.strip():
                patience.end()
            else:
                patience.begin()
            async with aclosing(self._carry_out(acts, errand, patience)) as fillers:
                async for text in fillers:
                    yield text
            if (farewell := self._part(acts, this, errand)) is not None:
                yield farewell
                return
            calls = tuple(act.call for act in acts)
            messages.append(Message("assistant", this.said.strip(), calls))
            messages += [act.tell() for act in acts]

    def _part(self, acts: Sequence[Act], this: _Round, errand: Errand) -> str | None:
        """The last words, if one of `acts` ends the conversation; None if it goes on.

        It goes on where another one failed: the caller is to hear of that. Whoever is handed on is
        not hung up on.
        """
        came = [act.task.result() for act in acts]
        partings = [one for one in came if one.farewell is not None]
        if not partings or not all(one.ok for one in came):
            return None
        chosen = next((one for one in partings if one.transfers_to), partings[-1])
        if chosen.transfers_to:
            self._transfer = (errand.number, chosen.transfers_to)
        else:
            self._parting = errand.number
        usual = self.manners.connecting if chosen.transfers_to else self.manners.goodbye
        said, farewell = this.said.casefold(), (chosen.farewell or "").strip()
        if farewell.casefold() in said:  # also "", behind whatever was said
            return "" if said.strip() else usual
        return farewell

    async def _catch_up(
        self, messages: list[Message], errand: Errand, patience: Patience
    ) -> AsyncGenerator[str, None]:
        """What a retracted reply left running belongs to this one: its results are waited for."""
        pending = self._calls.running
        own = itertools.takewhile(lambda m: m.role == "tool" or m.calls, reversed(messages))
        acts = [pending[message.call_id] for message in own if message.call_id in pending]
        if not acts:
            return
        await errand.ready.wait()
        patience.begin()
        if filler := await patience.outlast({act.task: act.filler for act in acts}):
            yield filler
        await asyncio.wait([act.task for act in acts])
        for n, message in enumerate(messages):
            if (act := pending.get(message.call_id)) in acts and act is not None:
                messages[n] = act.tell()

    async def _carry_out(
        self, acts: Sequence[Act], errand: Errand, patience: Patience
    ) -> AsyncGenerator[str, None]:
        """Wait for calls side by side; the caller is asked to wait as well, if it takes long."""
        errand.watch.mark("first_call", acts[0].began_s)
        self._under_way = (errand, acts)
        try:
            if filler := await patience.outlast({act.task: act.filler for act in acts}):
                yield filler
            await asyncio.wait([act.task for act in acts])
        finally:
            self._calls.leave(errand, acts)
            await asyncio.gather(*(a.task for a in acts if a.safe), return_exceptions=True)
        errand.watch.mark("calls_done", self._clock.now_s())


_END: Final = ". "
"""Ends what was said before a call, so that it is spoken at once."""


async def _listen(pieces: AsyncGenerator[Piece, None], this: _Round) -> AsyncGenerator[str, None]:
    """The words among `pieces`; `this` keeps all of the LLM's."""
    async for piece in pieces:
        if isinstance(piece, str):
            this.said += "" if isinstance(piece, Aside) else piece
            yield piece
        else:
            this.calls.append(piece)
