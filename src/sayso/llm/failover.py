"""Asks an agent's LLM, and the next one when it does not answer: a caller never hears dead air.

    main ─► nothing useful in time, or a failure ─► fallback ─► ... ─► LlmError: a spoken sentence

The deadlines count words that can be spoken. Once an LLM's first words are out nobody else is
asked: nothing is said twice, and a stream that breaks off ends the reply. The next reply begins
with the main LLM again, unless it rests (`health.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog

from sayso.errors import Blame, LlmError
from sayso.health import Health
from sayso.llm import Llm, Message, Mind, Mishap, Note, Piece, Spare, Tool, forget, ignore, no_spare
from sayso.llm.watching import unwatch

RESERVE_S = 4.0
"""What an LLM leaves of the time for each one behind it, in seconds, while that is possible."""
PROBE = (Message("user", "Hello"),)
"""What a resting LLM is asked; its first word is enough, and the rest is not waited for."""

log = structlog.get_logger("sayso.llm")


@dataclass(frozen=True, slots=True, eq=False)
class Runner:
    """One who may answer.

    Attributes:
        llm: answers.
        name: of the log, such as its base URL.
        shown: its name in the owner's records; "" for `name`.
        key: shared by all who would fail together; None for one who never rests.
        probe: the same LLM outside of any conversation, to see whether it is well again.
    """

    llm: Llm
    name: str = "built-in"
    key: Hashable | None = None
    probe: Llm | None = None
    shown: str = ""


class Standby:
    """What all conversations share: how each LLM does, and how long a caller waits at most."""

    def __init__(self, *, start_s: float, health: Health | None = None) -> None:
        """Let a reply begin within `start_s` seconds, whoever speaks it."""
        self.start_s = start_s
        self.health = health or Health()
        self._probes: set[asyncio.Task[None]] = set()

    def bind(self, runners: Sequence[Runner], *, hedge_after_s: float | None = None) -> Mind:
        """The mind of an agent whose first of `runners` answers, else the next.

        With `hedge_after_s` the second one is asked as well when the first is silent so long, and
        the first words win.
        """
        return Failover(self, runners, hedge_after_s)

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._probes):
            task.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)

    def order(self, runners: Sequence[Runner]) -> list[Runner]:
        """Those who are well first; those who rest are probed, beside the conversation."""
        now_s = _now_s()
        for runner in runners:
            if runner.probe is not None and self.health.should_probe(runner.key, now_s):
                self._start(self._probe(runner, runner.probe))
        return sorted(runners, key=lambda runner: self.health.is_resting(runner.key, now_s))

    def worked(self, runner: Runner) -> None:
        """`runner` answered."""
        if runner.key is not None and self.health.worked(runner.key):
            log.info("llm_is_well_again", llm=runner.name)

    def is_passed_over(self, runners: Sequence[Runner]) -> bool:
        """Whether the first of `runners` rests, and there is one behind it who does not.

        Where all rest, or nobody else is there, it is asked first as ever.
        """
        now_s = _now_s()
        first, *others = (self.health.is_resting(runner.key, now_s) for runner in runners)
        return first and not all(others)

    def stands_in(self, runner: Runner, main: Runner) -> None:
        """`runner` answers because `main` rests: one line of the log for all replies of a rest."""
        if self.health.should_tell(main.key, _now_s()):
            log.warning("llm_stands_in", llm=runner.name, resting=main.name)

    def failed(self, runner: Runner, error: LlmError) -> None:
        """`runner` did not, or broke off; a wrong key says nothing about others' calls."""
        if runner.key is None or error.blame is not Blame.LLM or error.finding == "rate.limited":
            return
        if self.health.failed(runner.key, _now_s()):
            rest_s = self.health.of(runner.key).rest_s
            log.warning("llm_rests", llm=runner.name, finding=error.finding, rest_s=rest_s)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._probes.add(task)
        task.add_done_callback(self._probes.discard)

    async def _probe(self, runner: Runner, llm: Llm) -> None:
        unwatch()
        try:
            async with asyncio.timeout(self.start_s), aclosing(llm.reply(PROBE)) as pieces:
                await _first_words(pieces)
        except TimeoutError:
            self.failed(runner, _too_slow(self.start_s))
        except LlmError as error:
            self.failed(runner, error)
        else:
            self.worked(runner)


class Failover:
    """The mind of one conversation."""

    def __init__(
        self, standby: Standby, runners: Sequence[Runner], hedge_after_s: float | None
    ) -> None:
        self._standby = standby
        self._runners = tuple(runners)
        self._hedge_after_s = hedge_after_s

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        """Answer with the words of whoever speaks or calls first; note who. Raises LlmError."""
        main = self._runners[0]
        rests = self._standby.is_passed_over(self._runners)
        if rests:
            note("llm_resting", main.shown or main.name)

        def ask(llm: Llm) -> AsyncGenerator[Piece, None]:
            return llm.reply(messages, mishap, spare, tools)

        race = _Race(self._standby, self._runners, ask, mishap, self._hedge_after_s)
        try:
            winner = await race.run()
            note("llm", winner.runner.shown or winner.runner.name)
            if rests and winner.runner is not main:
                self._standby.stands_in(winner.runner, main)
            broken: LlmError | None = None
            try:
                for piece in winner.task.result():
                    yield piece
                async for piece in winner.pieces:
                    yield piece
            except LlmError as error:
                broken = error
                raise
            finally:
                # Also when the caller interrupts: its first words came in time.
                if broken is None:
                    self._standby.worked(winner.runner)
                else:
                    self._standby.failed(winner.runner, broken)
        finally:
            await race.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Contender:
    """One who was asked, until its first words or its last moment."""

    runner: Runner
    pieces: AsyncGenerator[Piece, None]
    task: asyncio.Task[list[Piece]]
    until_s: float


class _Race:
    """From a question to the first words of whoever answers it."""

    def __init__(
        self,
        standby: Standby,
        runners: Sequence[Runner],
        ask: Callable[[Llm], AsyncGenerator[Piece, None]],
        mishap: Mishap,
        hedge_after_s: float | None,
    ) -> None:
        now_s = _now_s()
        self._standby = standby
        self._ask = ask
        self._mishap = mishap
        self._runners = runners
        self._errors: dict[Runner, LlmError] = {}
        self._waiting = standby.order(runners)
        self._running: list[_Contender] = []
        self._until_s = now_s + standby.start_s
        self._hedge_s = None if hedge_after_s is None else now_s + hedge_after_s

    async def run(self) -> _Contender:
        """Whoever speaks first. Raises LlmError when nobody does."""
        self._send()
        while True:
            await self._wait()
            for contender in tuple(self._running):
                if not contender.task.done() and _now_s() < contender.until_s:
                    continue
                error = await self._stop(contender)
                if error is None:
                    return contender
                self._lose(contender, error)
            if not self._running or self._is_time_to_hedge():
                self._hedge_s = None
                self._send()

    async def close(self) -> None:
        """Free the server of everybody who was asked and is not done."""
        for contender in self._running:
            contender.task.cancel()
            await asyncio.wait([contender.task])
            await contender.pieces.aclose()

    def _send(self) -> None:
        """Ask the next one, and leave time for those behind it."""
        runner = self._waiting.pop(0)
        now_s, behind = _now_s(), len(self._waiting)
        left_s = max(0.0, self._until_s - now_s)
        may_s = max(left_s / (behind + 1), left_s - behind * RESERVE_S)
        pieces = self._ask(runner.llm)
        task = asyncio.create_task(_first_words(pieces))
        self._running.append(_Contender(runner, pieces, task, now_s + may_s))

    async def _wait(self) -> None:
        """Until somebody spoke or failed, or time is up for one, or come for another."""
        at_s = min(contender.until_s for contender in self._running)
        if self._hedge_s is not None and self._waiting:
            at_s = min(at_s, self._hedge_s)
        await asyncio.wait(
            [contender.task for contender in self._running],
            timeout=max(0.0, at_s - _now_s()),
            return_when=asyncio.FIRST_COMPLETED,
        )

    def _is_time_to_hedge(self) -> bool:
        return bool(self._waiting) and self._hedge_s is not None and _now_s() >= self._hedge_s

    def _lose(self, contender: _Contender, error: LlmError) -> None:
        """Go on without `contender`; when nobody is left, that is an error."""
        self._running.remove(contender)
        self._errors[contender.runner] = error
        self._standby.failed(contender.runner, error)
        if len(self._runners) > 1:
            self._mishap(error)
        if not self._running and not self._waiting:
            raise _sum_up([(runner, self._errors[runner]) for runner in self._runners])

    async def _stop(self, contender: _Contender) -> LlmError | None:
        """End its wait; what went wrong, or None if it has spoken."""
        began_s = self._until_s - self._standby.start_s
        contender.task.cancel()
        await asyncio.wait([contender.task])
        if contender.task.cancelled():
            return _too_slow(contender.until_s - began_s)
        error = contender.task.exception()
        if error is None or isinstance(error, LlmError):
            return error
        raise error


async def _first_words(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
    """What comes until there is something to speak, or to do."""
    said = ""
    async for piece in pieces:
        if not isinstance(piece, str):
            return [said, piece] if said else [piece]
        said += piece
        if said.strip():
            return [said]
    raise LlmError("the LLM ended its answer without a single word", finding="stream.empty")


def _sum_up(failed: Sequence[tuple[Runner, LlmError]]) -> LlmError:
    """The failure of all, the main one first: by its code, for it is the one to mend."""
    main = failed[0][1]
    if len(failed) == 1:
        return main
    told = [
        f"{runner.name}: {error.finding}, {error.message.removesuffix('.')}"
        for runner, error in failed
    ]
    error = LlmError("; ".join(told), finding=main.finding, hint=main.hint)
    error.blame = main.blame
    return error


def _too_slow(limit_s: float) -> LlmError:
    return LlmError(
        f"the LLM said nothing to speak within {limit_s:.1f} s",
        finding="first_token.slow",
        hint="Use a faster model, or raise SAYSO_LLM_REPLY_START_TIMEOUT_S.",
    )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
