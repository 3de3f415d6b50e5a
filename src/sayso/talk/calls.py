"""The functions that an LLM calls in one conversation: carried out, joined or refused, and kept.

Calls that change nothing may be given up. Others go on to their end, whoever still waits for them,
and the ledger learns what came of them; the same one is not begun twice.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import structlog

from sayso.clock import Clock
from sayso.functions import NO_TOOLS, Outcome, Toolbox
from sayso.llm import Message, Mishap, Tool, ToolCall
from sayso.llm.arguments import canonical
from sayso.talk.consent import Consent
from sayso.talk.deeds import show_arguments
from sayso.talk.history import Deed, Ledger, Line
from sayso.talk.record import Stopwatch
from sayso.talk.refusal import find_tool, refuse

MAX_CALL_S: Final = 120.0
"""Longest wait for one call, in seconds, whatever its toolbox allows."""
MAX_RESULT_CHARS: Final = 8_000
"""Longest result the LLM is told."""
MAX_KEPT_CHARS: Final = 2_000
"""So much of a result, and of arguments, is kept for later prompts."""
MAX_SHOWN_CHARS: Final = 300
"""So much of them is on the record of a turn."""

STILL_RUNNING: Final = "(still being carried out; there is no result yet)"
FAILED: Final = "The function failed. Tell the caller that this did not work."

log = structlog.get_logger("sayso.talk")


@dataclass(frozen=True, slots=True)
class Errand:
    """One reply, as far as what is done for it needs to know it.

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


@dataclass(slots=True, eq=False)
class Act:
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

    @property
    def filler(self) -> str:
        """What the caller is told while it takes long; "" for the usual words."""
        return "" if self.tool is None else self.tool.filler

    @property
    def came(self) -> Outcome | None:
        """Its outcome; None while there is none, or if it was given up."""
        return None if not self.task.done() or self.task.cancelled() else self.task.result()

    def tell(self) -> Message:
        """Its result, as the LLM is told it."""
        text = self.task.result().text
        if len(text) > MAX_RESULT_CHARS:
            text = f"{text[:MAX_RESULT_CHARS]} (cut off here)"
        return Message("tool", text, call_id=self.call.id)

    def to_deed(self, result: str) -> Deed:
        """What the ledger keeps of it."""
        shown = show_arguments(self.call, self.tool)[:MAX_KEPT_CHARS]
        return Deed(self.call.id, self.call.name, shown, result[:MAX_KEPT_CHARS], self.nth)


Start: TypeAlias = Callable[[Coroutine[Any, Any, Outcome]], asyncio.Task[Outcome]]
"""Runs a call as a part of the conversation, which ends only after it."""

Settled: TypeAlias = Callable[[tuple[Line, ...]], None]
"""Is given the lines of what was done for replies that are over."""


class Calls:
    """All that is called in one conversation.

    Args:
        toolbox: what may be called.
        ledger: keeps what was done.
        clock: tells the time.
        start: begins what must not be given up.
        settled: writes down what was done too late for its reply.

    Attributes:
        consent: what the caller was asked to agree to.
    """

    def __init__(
        self, toolbox: Toolbox, ledger: Ledger, clock: Clock, start: Start, settled: Settled
    ) -> None:
        self.consent = Consent()
        self._toolbox = toolbox
        self._ledger = ledger
        self._clock = clock
        self._start = start
        self._settled = settled
        self._running: dict[tuple[str, str], Act] = {}
        self._ids: set[str] = set()

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered."""
        return self._toolbox.tools

    @property
    def running(self) -> Mapping[str, Act]:
        """What changes something and is not over yet, by the ids of the calls."""
        return {act.call.id: act for act in self._running.values()}

    def begin(self, calls: Sequence[ToolCall], errand: Errand, nth: int) -> list[Act]:
        """Start what is to be done: the calls of an LLM that was asked for the `nth` time."""
        acts = []

        def agreed(key: str) -> bool:
            return self.consent.has(key, errand.number, errand.asked)

        for place, asked in enumerate(calls):
            tool = find_tool(self.tools, asked.name)
            call = self._name(asked if tool is None else replace(asked, name=tool.name))
            refused = refuse(call, place, self.tools, agreed)
            acts.append(self._act(call, tool, errand, nth, refused))
        return acts

    def leave(self, errand: Errand, acts: Sequence[Act]) -> None:
        """Nobody waits for `acts` any more."""
        for act in acts:
            if not act.noted:
                act.noted = True
                self._note(act, errand)
            if act.safe:
                act.task.cancel()

    def close(self) -> None:
        """The conversation is over: let go of it, or both would wait for the garbage collector."""
        self._settled = _drop
        self._start = asyncio.ensure_future
        self._toolbox = NO_TOOLS
        self._running.clear()

    def _name(self, call: ToolCall) -> ToolCall:
        """`call` with an id that no other one of this conversation has."""
        id_ = call.id
        if not id_ or id_ in self._ids:
            id_ = uuid.uuid4().hex[:9]  # Mistral takes nine letters and digits, and nothing else
        self._ids.add(id_)
        return replace(call, id=id_)

    def _act(
        self, call: ToolCall, tool: Tool | None, errand: Errand, nth: int, refused: Outcome | None
    ) -> Act:
        """One call under way; the same one that is already under way is only joined."""
        now_s = self._clock.now_s()
        if refused is not None or tool is None:
            task = asyncio.ensure_future(_give(refused or _UNKNOWN))
            return Act(call, tool and replace(tool, safe=True), nth, now_s, task)
        key = (tool.name, canonical(call.arguments))
        if not tool.safe and (same := self._running.get(key)) is not None:
            task = asyncio.ensure_future(_join(same.task))
            return Act(call, replace(tool, safe=True), nth, now_s, task)
        if tool.safe:
            return Act(call, tool, nth, now_s, asyncio.ensure_future(self._call(call)))
        act = Act(call, tool, nth, now_s, self._start(self._call(call)))
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

    def _finish(self, key: tuple[str, str], act: Act, number: int) -> None:
        """A call that changes things is over, whoever still waits for it."""
        self._running.pop(key, None)
        lost = act.task.cancelled()
        self._keep(number, act.to_deed("(broken off)" if lost else act.task.result().text))

    def _note(self, act: Act, errand: Errand) -> None:
        """Put one call on the record: as it ended, or as it was left."""
        now_s = self._clock.now_s()
        if (outcome := act.came) is None:
            ms = (now_s - act.began_s) * 1000
            left = "call.given_up" if act.safe else "call.unfinished"
            outcome = Outcome(ok=False, text="", ms=ms, finding=left)
        elif act.safe:
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


_UNKNOWN: Final = Outcome(ok=False, text=FAILED, finding="call.unknown")


def _drop(_: tuple[Line, ...]) -> None:
    """Write nothing down."""


async def _give(outcome: Outcome) -> Outcome:
    return outcome


async def _join(task: asyncio.Task[Outcome]) -> Outcome:
    """The outcome of a call that others wait for as well, and that goes on without us."""
    return await asyncio.shield(task)
