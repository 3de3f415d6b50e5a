"""Checks of LLMs for the REST API: keeps the last report of each agent, and completes it later.

A save waits for the quick part only. The rest runs in one task of the server, one LLM at a time,
an agent's own before its fallbacks, and never in the way of a save or a conversation.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.agents.issues import LlmIssue, refuse
from sayso.agents.places import attribute, path_of, place
from sayso.agents.reports import AgentCheckView, LlmCheckView, Step, Tell, keep_still
from sayso.clock import Clock
from sayso.errors import NotFoundError
from sayso.llm import Endpoint
from sayso.store.database import Database
from sayso.store.tables import AgentRow, LlmCheckRow

MAX_WAITING = 100
"""Agents whose checks wait to be completed; beyond it those of the oldest one stay quick."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """A finished quick check, and what can be done with it.

    Attributes:
        view: its report.
        learn: lets conversations use what was found out.
        deepen: looks into everything else, lets conversations use that, and gives the report.
    """

    view: LlmCheckView
    learn: Callable[[], Awaitable[None]] | None = None
    deepen: Callable[[], Awaitable[LlmCheckView]] | None = None

    @property
    def issues(self) -> list[LlmIssue]:
        """What was noticed, errors first."""
        return self.view.findings


CheckLlm = Callable[[Endpoint, Tell], Awaitable[Checked]]
"""Calls an LLM as a conversation would, and says what it noticed; tells how it is going."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The checks of an LLM that may be saved, and of its fallbacks.

    Attributes:
        issues: what was noticed, by all of them.
        checked: of each, the LLM itself first; None for a built-in one.
    """

    issues: Sequence[LlmIssue] = ()
    checked: Sequence[Checked | None] = ()


@dataclass(frozen=True, slots=True)
class _Open:
    """Reports of one agent that can be completed: its LLM's first, then its fallbacks'."""

    checked: Sequence[Checked | None]
    views: list[LlmCheckView | None]

    @property
    def view(self) -> AgentCheckView:
        """As far as they are."""
        main, *fallbacks = self.views
        assert main is not None  # noqa: S101 an agent without an LLM has no report
        placed = [view and place(view, n) for n, view in enumerate(fallbacks, start=1)]
        return AgentCheckView.model_validate({**main.model_dump(), "fallbacks": placed})

    @property
    def deep(self) -> list[int]:
        """Those that can be looked into deeper."""
        return [n for n, one in enumerate(self.checked) if one is not None and one.deepen]


class LlmChecks:
    """The checks of this installation."""

    def __init__(self, database: Database, clock: Clock, check: CheckLlm) -> None:
        self._database = database
        self._clock = clock
        self._check = check
        self._waiting: OrderedDict[str, _Open] = OrderedDict()
        self._some = asyncio.Event()
        self._running: str | None = None

    async def check(self, endpoint: Endpoint, tell: Tell = keep_still) -> Checked:
        """The quick check of an LLM; keeps nothing. `tell` is told how it is going."""
        checked = await self._check(endpoint, tell)
        checked.view.checked_at = self._clock.utc()
        return checked

    async def check_all(
        self, endpoints: Sequence[Endpoint | None], tell: Tell = keep_still
    ) -> list[Checked | None]:
        """The quick checks of several LLMs at once; None is a built-in one. Keeps nothing.

        `tell` is told of the stages of the first one, and of what is found of all.
        """
        watched: list[Tell] = [tell]
        watched += [partial(_tell_of, tell, n) for n in range(1, len(endpoints))]
        return await asyncio.gather(*map(self._check_own, endpoints, watched))

    async def demand(self, endpoints: Sequence[Endpoint | None]) -> Passed:
        """The quick checks of an LLM and its fallbacks; None is a built-in one. Keeps nothing.

        Raises:
            BadRequestError: something forbids saving.
        """
        checked = await self.check_all(endpoints)
        found = [[] if one is None else one.issues for one in checked]
        failed = [n for n, some in enumerate(found) if any(i.severity == "error" for i in some)]
        issues = [
            attribute(issue, n, named=len(failed) > 1)
            for n, issues in enumerate(found)
            for issue in issues
        ]
        if failed:
            raise refuse("The agent's LLM", issues, path_of(failed[0]))
        return Passed(issues, checked)

    async def _check_own(self, endpoint: Endpoint | None, tell: Tell) -> Checked | None:
        return None if endpoint is None else await self.check(endpoint, tell)

    async def keep(
        self, agent_id: str, main: Checked | None = None, *fallbacks: Checked | None
    ) -> None:
        """Keep the reports of an agent that was just saved, and complete them soon.

        `main` is None for an agent that has no LLM of its own.
        """
        for checked in (main, *fallbacks):
            if checked is not None and checked.learn is not None:
                await checked.learn()
        self._waiting.pop(agent_id, None)
        if main is None:
            async with self._database.write() as session:
                await session.execute(delete(LlmCheckRow).where(LlmCheckRow.agent_id == agent_id))
            return
        all_ = (main, *fallbacks)
        found = _Open(all_, [None if one is None else one.view for one in all_])
        await self._store(agent_id, found.view)
        if found.deep:
            self._waiting[agent_id] = found
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
            self._some.set()

    async def read(self, agent_id: str) -> AgentCheckView:
        """The last report of an agent's LLM. Raises NotFoundError when it has none."""
        async with self._database.read() as session:
            row = await session.get(LlmCheckRow, agent_id)
        if row is None:
            raise NotFoundError(
                f"the LLM of agent {agent_id!r} was never checked",
                hint="An agent without `llm` has nothing to check; saving one checks it.",
            )
        view = AgentCheckView.model_validate(row.report)
        if agent_id in self._waiting or agent_id == self._running:
            for one in (view, *view.fallbacks):
                if one is not None and one.state == "quick":
                    one.state = "running"
        return view

    async def copy(self, session: AsyncSession, agent_id: str, copy_id: str) -> None:
        """Keep the report of an agent for its copy, too, in the transaction that makes it."""
        row = await session.get(LlmCheckRow, agent_id)
        if row is not None:
            session.add(LlmCheckRow(agent_id=copy_id, checked_at=row.checked_at, report=row.report))

    async def run(self) -> None:
        """Complete what waits, one after the other, until cancelled."""
        while True:
            await self._some.wait()
            if not self._waiting:
                self._some.clear()
                continue
            self._running, found = self._waiting.popitem(last=False)
            try:
                await self._complete(self._running, found)
            finally:
                self._running = None

    async def _complete(self, agent_id: str, found: _Open) -> None:
        for n in found.deep:
            try:
                if not await self._deepen(agent_id, found, n):
                    return
            except SQLAlchemyError as error:
                _log.error("llm_check_not_stored", reason=type(error).__name__)
            except Exception:  # noqa: BLE001 - one odd endpoint must not end all later checks
                _log.exception("llm_check_not_completed", agent_id=agent_id)

    async def _deepen(self, agent_id: str, found: _Open, n: int) -> bool:
        """Complete one report; whether the agent is still the one that was saved."""
        checked, before = found.checked[n], found.view
        assert checked is not None  # noqa: S101 only such ones are deep
        assert checked.deepen is not None  # noqa: S101
        view = await checked.deepen()
        if agent_id in self._waiting:
            return False  # it was saved again meanwhile
        view.checked_at = self._clock.utc()
        found.views[n] = view
        return await self._store(agent_id, found.view, instead_of=before)

    async def _store(
        self, agent_id: str, view: AgentCheckView, *, instead_of: AgentCheckView | None = None
    ) -> bool:
        """Keep a report, unless its agent, or the report it continues, is gone; whether it was."""
        async with self._database.write() as session:
            known = await session.scalar(select(AgentRow.id).where(AgentRow.id == agent_id))
            row = await session.get(LlmCheckRow, agent_id)
            changed = row is None or row.report != _document(instead_of) if instead_of else False
            if known is None or changed:
                return False
            await session.merge(
                LlmCheckRow(
                    agent_id=agent_id,
                    checked_at=view.checked_at or self._clock.utc(),
                    report=_document(view),
                )
            )
        return True


def _tell_of(tell: Tell, n: int, step: Step) -> None:
    """Tell what was found of the n-th fallback."""
    if isinstance(step, LlmIssue):
        tell(attribute(step, n, named=False))


def _document(view: AgentCheckView) -> dict[str, object]:
    return view.model_dump(mode="json", by_alias=True)
