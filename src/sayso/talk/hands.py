"""Within one reply: offers the LLM functions, carries out what it calls, and lets it go on.

    prompt ─► LLM ─► words ─► caller
               ▲ └─► calls ─► toolbox ─┐
               └─── results ◄──────────┘

A draft waits with its first call until it is taken up, so that what nobody hears has no effect.
Calls that change nothing are given up when the caller interrupts; others go on to their end, and
the next prompt knows what came of them.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, cast

import structlog

from sayso.clock import Clock
from sayso.functions import NO_TOOLS, Outcome, Toolbox
from sayso.llm import Message, Mind, Mishap, Piece, Spare, Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, canonical, read_arguments
from sayso.llm.written import UNREADABLE
from sayso.talk.consent import Consent
from sayso.talk.deeds import show_arguments
from sayso.talk.history import Deed, Ledger, Line
from sayso.talk.record import Row, Stopwatch
from sayso.talk.reply import Aside, Write

MAX_ROUNDS: Final = 5
"""How often an LLM is asked again within one reply; then it is offered nothing, and must answer."""
MAX_CALLS_AT_ONCE: Final = 8
"""Calls of one round that are carried out; the LLM is told that the rest was too many."""
MAX_CALL_S: Final = 120.0
"""Longest wait for one call, in seconds, whatever its toolbox allows."""
MAX_FILLERS: Final = 3
"""How often within one reply the caller is asked to wait."""
MAX_UNHEARD: Final = 50
"""Calls of replies nobody heard that wait for the record of the next."""
MAX_RESULT_CHARS: Final = 8_000
"""Longest result the LLM is told."""
MAX_KEPT_CHARS: Final = 2_000
"""So much of a result, and of arguments, is kept for later prompts."""
MAX_SHOWN_CHARS: Final = 300
"""So much of them is on the record of a turn."""

STILL_RUNNING: Final = "(still being carried out; there is no result yet)"
ASK_FIRST: Final = (
    "Nothing was done yet. Say to the caller what exactly you are about to do, and ask whether "
    "they agree. Once they have agreed, call the same function with the same arguments again."
)
TOO_MANY: Final = (
    f"Nothing was done: only {MAX_CALLS_AT_ONCE} functions can be called at once. Call it again."
)
UNREAD: Final = (
    "Nothing was done: what you wrote to call a function could not be read. Write the function's "
    "name, and its arguments as one JSON object."
)
DAMAGED: Final = (
    "The arguments were not a JSON object, so nothing was done. Call again with arguments that are "
    "one JSON object."
)
FAILED: Final = "The function failed. Tell the caller that this did not work."

log = structlog.get_logger("sayso.talk")


@dataclass(frozen=True, slots=True)
class Errand:
    """One reply, as far as its hands need to know it.

    Attributes:
        number: the reply's number.
        prompt: what its LLM is asked.
        asked: the caller's words it answers; "" for a program's.
        mishap: is told of failures that were recovered from.
        watch: notes what was called.
        ready: set once the reply is no draft.
    """

    number: int
    prompt: Sequence[Message]
    asked: str
    mishap: Mishap
    watch: Stopwatch
    ready: asyncio.Event


@dataclass(frozen=True, slots=True)
class Manners:
    """What the agent says of itself where the LLM leaves it to.

    Attributes:
        filler: how it asks the caller to wait.
        after_s: after how many seconds of waiting.
        goodbye: what it says before it hangs up; "" for nothing.
        connecting: what it says before it hands the caller on.
    """

    filler: str
    after_s: float
    goodbye: str = ""
    connecting: str = ""


@dataclass(slots=True, eq=False)
class _Act:
    """One call under way: its tool, if there is one, and the task that gives its outcome."""

    call: ToolCall
    tool: Tool | None
    nth: int
    began_s: float
    task: asyncio.Task[Outcome]
    noted: bool = False

    @property
    def safe(self) -> bool:
        """Whether it may be given up."""
        return self.tool is None or self.tool.safe

    def to_deed(self, result: str) -> Deed:
        """What the ledger keeps of it."""
        shown = show_arguments(self.call, self.tool)[:MAX_KEPT_CHARS]
        return Deed(self.call.id, self.call.name, shown, result[:MAX_KEPT_CHARS], self.nth)


@dataclass(slots=True)
class _Round:
    """What the LLM said and called when it was asked once."""

    said: str = ""
    calls: list[ToolCall] = field(default_factory=list)


@dataclass(slots=True)
class _Patience:
    """Since when the caller waits for a function, and how often they were asked to."""

    since_s: float | None = None
    fillers: int = 0


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
        start: Callable[[Coroutine[Any, Any, Outcome]], asyncio.Task[Outcome]],
        settled: Callable[[tuple[Line, ...]], None],
    ) -> None:
        self._mind = mind
        self._toolbox = toolbox
        self._ledger = ledger
        self._clock = clock
        self.manners = manners
        self._start = start
        self._settled = settled
        self._consent = Consent()
        self._running: dict[tuple[str, str], _Act] = {}
        self._ids: set[str] = set()
        self._under_way: tuple[Errand, Sequence[_Act]] | None = None
        self._unheard: list[Row] = []
        self._parting = 0
        self._transfer = (0, "")

    def write(self, errand: Errand) -> Write:
        """What begins the text of a reply."""
        if self._toolbox.tools:
            for row in self._unheard:
                errand.watch.append("calls", row)
            self._unheard.clear()
            return partial(self._reply, errand)
        # Who offers no tools gets words only.
        ask = partial(self._mind.reply, errand.prompt, errand.mishap, note=errand.watch.note)
        return cast("Write", ask)

    def heard(self, number: int) -> None:
        """The caller heard something of reply `number`, such as what it asks them to confirm."""
        self._consent.heard(number)

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
        self._leave(errand, acts)
        if not heard:
            self._unheard = [*self._unheard, *errand.watch.rows("calls")][-MAX_UNHEARD:]

    def close(self) -> None:
        """The conversation is over: let go of it, or both would wait for the garbage collector."""
        self._settled = _drop
        self._start = asyncio.ensure_future
        self._toolbox = NO_TOOLS
        self._running.clear()
        self._under_way = None

    # Rounds ------------------------------------------------------------------------------------

    async def _reply(self, errand: Errand, spare: Spare) -> AsyncGenerator[str, None]:
        """The words of a reply, with whatever was to be done before and between them."""
        messages, patience = list(errand.prompt), _Patience()
        async with aclosing(self._catch_up(messages, errand, patience, spare)) as fillers:
            async for text in fillers:
                yield text
        for nth in range(MAX_ROUNDS + 1):
            this, tools = _Round(), self._toolbox.tools if nth < MAX_ROUNDS else ()
            asking = self._mind.reply(messages, errand.mishap, spare, errand.watch.note, tools)
            async with aclosing(self._wait_for(asking, errand, patience, spare)) as pieces:
                async for text in _listen(pieces, this):
                    yield text
            if not this.calls:
                return
            await errand.ready.wait()
            if this.said.strip():
                yield _END if this.said.rstrip()[-1:].isalnum() else " "
            acts = self._begin(this.calls, errand, nth)
            patience.since_s = None if this.said.strip() else self._clock.now_s()
            async with aclosing(self._carry_out(acts, errand, patience, spare)) as fillers:
                async for text in fillers:
                    yield text
            if (farewell := self._part(acts, this, errand)) is not None:
                yield farewell
                return
            calls = tuple(act.call for act in acts)
            messages.append(Message("assistant", this.said.strip(), calls))
            messages += [_tell(act) for act in acts]

    def _part(self, acts: Sequence[_Act], this: _Round, errand: Errand) -> str | None:
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
        self, messages: list[Message], errand: Errand, patience: _Patience, spare: Spare
    ) -> AsyncGenerator[str, None]:
        """What a retracted reply left running belongs to this one: its results are waited for."""
        pending = {act.call.id: act for act in self._running.values()}
        own = itertools.takewhile(lambda m: m.role == "tool" or m.calls, reversed(messages))
        acts = [pending[message.call_id] for message in own if message.call_id in pending]
        if not acts:
            return
        await errand.ready.wait()
        tasks, patience.since_s = [act.task for act in acts], self._clock.now_s()
        if filler := await self._bridge(tasks, errand, patience, spare, acts):
            yield filler
        await asyncio.wait(tasks)
        for n, message in enumerate(messages):
            if (act := pending.get(message.call_id)) in acts and act is not None:
                messages[n] = _tell(act)

    async def _wait_for(
        self,
        asking: AsyncGenerator[Piece, None],
        errand: Errand,
        patience: _Patience,
        spare: Spare,
    ) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer; a filler before them, if they take too long after a call."""
        async with aclosing(asking):
            if patience.since_s is not None:
                first = asyncio.ensure_future(anext(asking, None))
                try:
                    if filler := await self._bridge([first], errand, patience, spare):
                        yield filler
                    piece = await first
                finally:
                    first.cancel()
                    await asyncio.wait([first])
                patience.since_s = None
                if piece is not None:
                    yield piece
            async for piece in asking:
                yield piece

    async def _carry_out(
        self, acts: Sequence[_Act], errand: Errand, patience: _Patience, spare: Spare
    ) -> AsyncGenerator[str, None]:
        """Wait for calls side by side; the caller is asked to wait as well, if it takes long."""
        tasks = [act.task for act in acts]
        errand.watch.mark("first_call", acts[0].began_s)
        self._under_way = (errand, acts)
        try:
            if filler := await self._bridge(tasks, errand, patience, spare, acts):
                yield filler
            await asyncio.wait(tasks)
        finally:
            self._leave(errand, acts)
            await asyncio.gather(*(a.task for a in acts if a.safe), return_exceptions=True)
        errand.watch.mark("calls_done", self._clock.now_s())

    def _leave(self, errand: Errand, acts: Sequence[_Act]) -> None:
        """Nobody waits for `acts` any more."""
        for act in acts:
            if not act.noted:
                act.noted = True
                self._note(act, errand)
            if act.safe:
                act.task.cancel()

    async def _bridge(
        self,
        tasks: Sequence[asyncio.Future[Any]],
        errand: Errand,
        patience: _Patience,
        spare: Spare,
        acts: Sequence[_Act] = (),
    ) -> str:
        """Wait for `tasks`; the words to say when that takes too long, else ""."""
        if patience.since_s is None or patience.fillers >= MAX_FILLERS:
            return ""
        # What is still being heard is no silence, and nothing is said over it.
        until_s = patience.since_s + self.manners.after_s + max(0.0, spare())
        left_s = max(0.0, until_s - self._clock.now_s())
        _, waiting = await asyncio.wait(tasks, timeout=left_s)
        if not waiting:
            return ""
        slow = [act.tool for act in acts if act.task in waiting and act.tool is not None]
        patience.since_s, patience.fillers = None, patience.fillers + 1
        errand.watch.note("fillers", patience.fillers)
        filler = next((tool.filler for tool in slow if tool.filler), self.manners.filler)
        return Aside(filler)

    # Calls -------------------------------------------------------------------------------------

    def _begin(self, calls: Sequence[ToolCall], errand: Errand, nth: int) -> list[_Act]:
        """Start what is to be done."""
        acts = []
        for place, asked in enumerate(calls):
            tool = self._find(asked.name)
            call = self._name(asked if tool is None else replace(asked, name=tool.name))
            refused = _TOO_MANY if place >= MAX_CALLS_AT_ONCE else self._refuse(call, tool, errand)
            acts.append(self._act(call, tool, errand, nth, refused))
        return acts

    def _act(
        self, call: ToolCall, tool: Tool | None, errand: Errand, nth: int, refused: Outcome | None
    ) -> _Act:
        """One call under way; the same one that is already under way is only joined."""
        now_s = self._clock.now_s()
        if refused is not None or tool is None:
            task = asyncio.ensure_future(_give(refused or _UNKNOWN))
            return _Act(call, tool and replace(tool, safe=True), nth, now_s, task)
        key = (tool.name, canonical(call.arguments))
        if not tool.safe and (same := self._running.get(key)) is not None:
            task = asyncio.ensure_future(_join(same.task))
            return _Act(call, replace(tool, safe=True), nth, now_s, task)
        if tool.safe:
            return _Act(call, tool, nth, now_s, asyncio.ensure_future(self._call(call)))
        act = _Act(call, tool, nth, now_s, self._start(self._call(call)))
        self._running[key] = act
        self._keep(errand.number, act.to_deed(STILL_RUNNING))
        act.task.add_done_callback(lambda _: self._finish(key, act, errand.number))
        return act

    async def _call(self, call: ToolCall) -> Outcome:
        """Carry out one call; whatever goes wrong is an outcome."""
        try:
            async with asyncio.timeout(MAX_CALL_S):
                return await self._toolbox.call(call)
        except TimeoutError:
            return Outcome(ok=False, text=FAILED, ms=MAX_CALL_S * 1000, finding="call.timeout")
        except Exception:
            log.exception("call_failed", function=call.name)
            return Outcome(ok=False, text=FAILED, finding="call.failed")

    def _finish(self, key: tuple[str, str], act: _Act, number: int) -> None:
        """A call that changes things is over, whoever still waits for it."""
        self._running.pop(key, None)
        lost = act.task.cancelled()
        self._keep(number, act.to_deed("(broken off)" if lost else act.task.result().text))

    def _note(self, act: _Act, errand: Errand) -> None:
        """Put one call on the record: as it ended, or as it was left."""
        now_s = self._clock.now_s()
        if act.task.done() and not act.task.cancelled():
            outcome = act.task.result()
        else:
            ms = (now_s - act.began_s) * 1000
            left = "call.given_up" if act.safe else "call.unfinished"
            outcome = Outcome(ok=False, text="", ms=ms, finding=left)
        if act.safe and act.task.done() and not act.task.cancelled():
            self._keep(errand.number, act.to_deed(outcome.text))
        errand.watch.append(
            "calls",
            {
                "name": act.call.name,
                "arguments": show_arguments(act.call, act.tool)[:MAX_SHOWN_CHARS],
                "result": outcome.text[:MAX_SHOWN_CHARS],
                "ok": float(outcome.ok),
                "ms": round(outcome.ms, 1),
                "finding": outcome.finding,
                "began_s": errand.watch.since_s(act.began_s),
                "ended_s": errand.watch.since_s(now_s),
            },
        )

    def _keep(self, number: int, deed: Deed) -> None:
        self._settled(self._ledger.deed(number, deed))

    # Before a call -----------------------------------------------------------------------------

    def _find(self, name: str) -> Tool | None:
        """The tool an LLM means, in whatever case it writes its name."""
        tools = self._toolbox.tools
        exact = (tool for tool in tools if tool.name == name)
        alike = (tool for tool in tools if tool.name.casefold() == name.strip().casefold())
        return next(exact, None) or next(alike, None)

    def _name(self, call: ToolCall) -> ToolCall:
        """`call` with an id that no other one of this conversation has."""
        id_ = call.id
        if not id_ or id_ in self._ids:
            id_ = uuid.uuid4().hex[:9]  # Mistral takes nine letters and digits, and nothing else
        self._ids.add(id_)
        return replace(call, id=id_)

    def _refuse(self, call: ToolCall, tool: Tool | None, errand: Errand) -> Outcome | None:
        """Why a call is not carried out; None if it is."""
        if call.name == UNREADABLE:
            return Outcome(ok=False, text=UNREAD, finding="call.unreadable")
        if tool is None:
            names = ", ".join(known.name for known in self._toolbox.tools)
            text = f"There is no function {call.name!r}. You have: {names}."
            return Outcome(ok=False, text=text, finding="call.unknown")
        try:
            read_arguments(call.arguments)
        except ArgumentsError as error:
            text = DAMAGED if tool.secret else str(error)  # which quotes them
            return Outcome(ok=False, text=text, finding="call.damaged")
        key = f"{tool.name}({canonical(call.arguments)})"
        if tool.confirm and not self._consent.has(key, errand.number, errand.asked):
            return Outcome(ok=False, text=ASK_FIRST, finding="call.unconfirmed")
        return None


_END: Final = ". "
"""Ends what was said before a call, so that it is spoken at once."""
_TOO_MANY: Final = Outcome(ok=False, text=TOO_MANY, finding="call.too_many")
_UNKNOWN: Final = Outcome(ok=False, text=FAILED, finding="call.unknown")


async def _listen(pieces: AsyncGenerator[Piece, None], this: _Round) -> AsyncGenerator[str, None]:
    """The words among `pieces`; `this` keeps all of the LLM's."""
    async for piece in pieces:
        if isinstance(piece, str):
            this.said += "" if isinstance(piece, Aside) else piece
            yield piece
        else:
            this.calls.append(piece)


def _drop(_: tuple[Line, ...]) -> None:
    """Write nothing down."""


async def _give(outcome: Outcome) -> Outcome:
    return outcome


async def _join(task: asyncio.Task[Outcome]) -> Outcome:
    """The outcome of a call that others wait for as well, and that goes on without us."""
    return await asyncio.shield(task)


def _tell(act: _Act) -> Message:
    """A call's result, as the LLM is told it."""
    text = act.task.result().text
    if len(text) > MAX_RESULT_CHARS:
        text = f"{text[:MAX_RESULT_CHARS]} (cut off here)"
    return Message("tool", text, call_id=act.call.id)
