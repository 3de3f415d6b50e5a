"""Hides agents that were deleted and may still be brought back, from every query that reads.

Nobody who adds a query can forget it; who wants them, says so with `SHOWN`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from sayso.store.tables import AgentRow

SHOWN: Final[dict[str, Any]] = {"sayso_deleted_agents": True}
"""Execution options of a query that sees deleted agents, too."""

_HIDE = with_loader_criteria(AgentRow, AgentRow.deleted_at.is_(None), include_aliases=True)


class HidingSession(Session):
    """A session that does not see deleted agents."""


@event.listens_for(HidingSession, "do_orm_execute")
def _hide(state: ORMExecuteState) -> None:
    shown = state.execution_options.get("sayso_deleted_agents", False)
    if state.is_select and not state.is_column_load and not shown:
        state.statement = state.statement.options(_HIDE)
