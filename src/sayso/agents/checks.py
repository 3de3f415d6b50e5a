"""Checks of LLMs for the REST API: keeps the last report of each agent, and completes it later.

A save waits for the quick part only. The rest runs in one task of the server, one agent at a
time, and never in the way of a save or a conversation.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from sayso.agents.reports import LlmCheckView
from sayso.agents.schema import LlmIssue
from sayso.clock import Clock
from sayso.errors import NotFoundError
from sayso.llm import Endpoint
from sayso.store.database import Database
from sayso.store.tables import AgentRow, LlmCheckRow

MAX_WAITING = 100
"""Checks waiting to be completed; beyond it the oldest one stays quick."""

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


CheckLlm = Callable[[Endpoint], Awaitable[Checked]]
"""Calls an LLM as a conversation would, and says what it noticed."""


class LlmChecks:
    """The checks of this installation."""

    def __init__(self, database: Database, clock: Clock, check: CheckLlm) -> None:
        self._database = database
        self._clock = clock
        self._check = check
        self._waiting: OrderedDict[str, Checked] = OrderedDict()
        self._some = asyncio.Event()
        self._running: str | None = None

    async def check(self, endpoint: Endpoint) -> Checked:
        """The quick check of an LLM; keeps nothing."""
        checked = await self._check(endpoint)
        checked.view.checked_at = self._clock.utc()
        return checked

    async def keep(self, agent_id: str, checked: Checked | None) -> None:
        """Keep the report of an agent that was just saved, and complete it soon.

        None says that the agent has no LLM of its own.
        """
        if checked is not None:
            await learn(checked)
        self._waiting.pop(agent_id, None)
        if checked is None:
            async with self._database.write() as session:
                await session.execute(delete(LlmCheckRow).where(LlmCheckRow.agent_id == agent_id))
            return
        await self._store(agent_id, checked.view)
        if checked.deepen is not None:
            self._waiting[agent_id] = checked
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
            self._some.set()

    async def read(self, agent_id: str) -> LlmCheckView:
        """The last report of an agent's LLM. Raises NotFoundError when it has none."""
        async with self._database.read() as session:
            row = await session.get(LlmCheckRow, agent_id)
        if row is None:
            raise NotFoundError(
                f"the LLM of agent {agent_id!r} was never checked",
                hint="An agent without `llm` has nothing to check; saving one checks it.",
            )
        view = LlmCheckView.model_validate(row.report)
        if agent_id in self._waiting or agent_id == self._running:
            view.state = "running"
        return view

    async def run(self) -> None:
        """Complete what waits, one after the other, until cancelled."""
        while True:
            await self._some.wait()
            if not self._waiting:
                self._some.clear()
                continue
            self._running, checked = self._waiting.popitem(last=False)
            try:
                await self._complete(self._running, checked)
            except SQLAlchemyError as error:
                _log.error("llm_check_not_stored", reason=type(error).__name__)
            except Exception:  # noqa: BLE001 - one odd endpoint must not end all later checks
                _log.exception("llm_check_not_completed", agent_id=self._running)
            finally:
                self._running = None

    async def _complete(self, agent_id: str, checked: Checked) -> None:
        assert checked.deepen is not None  # noqa: S101 only such ones wait
        view = await checked.deepen()
        if agent_id in self._waiting:
            return  # it was saved again meanwhile
        view.checked_at = self._clock.utc()
        await self._store(agent_id, view, instead_of=checked.view)

    async def _store(
        self, agent_id: str, view: LlmCheckView, *, instead_of: LlmCheckView | None = None
    ) -> None:
        """Keep a report, unless its agent, or the report it continues, is gone."""
        async with self._database.write() as session:
            known = await session.scalar(select(AgentRow.id).where(AgentRow.id == agent_id))
            row = await session.get(LlmCheckRow, agent_id)
            changed = row is None or row.report != _document(instead_of) if instead_of else False
            if known is None or changed:
                return
            await session.merge(
                LlmCheckRow(
                    agent_id=agent_id,
                    checked_at=view.checked_at or self._clock.utc(),
                    report=_document(view),
                )
            )


async def learn(checked: Checked) -> None:
    """Let conversations use what a check found out."""
    if checked.learn is not None:
        await checked.learn()


def _document(view: LlmCheckView) -> dict[str, object]:
    return view.model_dump(mode="json", by_alias=True)
