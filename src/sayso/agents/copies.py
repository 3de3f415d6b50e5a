"""Makes one agent's row out of another's; secrets are sealed anew, for they are bound to a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from sayso.agents.choices import choose_llms
from sayso.agents.knowledge import list_issues
from sayso.agents.plain import PLAIN_FIELDS, PlainFields
from sayso.agents.schema import MAX_NAME_CHARS, NewAgent
from sayso.store.identifiers import new_agent_id
from sayso.store.tables import AgentRow

COPIED: Final = " (copy)"


def copy_row(plain: PlainFields, row: AgentRow, now: datetime) -> AgentRow:
    """A new agent with all that `row` has, but its picture; nothing is stored."""
    name = row.display_name[: MAX_NAME_CHARS - len(COPIED)] + COPIED
    copy = AgentRow(id=new_agent_id(name), owner_id=row.owner_id, created_at=now, updated_at=now)
    for field in PLAIN_FIELDS:
        setattr(copy, field, getattr(row, field))
    copy.display_name = name
    body = NewAgent.model_validate(plain.read(row))
    meant = choose_llms(body.llm, None, ())
    plain.llms.seal(copy.id, body.llm, meant).put_into(copy)
    copy.llm_issues = row.llm_issues
    servers = plain.mcp.open(row.id, row.mcp_servers, row.mcp_sealed)
    copy.mcp_servers, copy.mcp_sealed = plain.mcp.seal(copy.id, servers)
    _copy_knowledge(plain, row, copy)
    return copy


def _copy_knowledge(plain: PlainFields, row: AgentRow, copy: AgentRow) -> None:
    """The same collection of the same server, also where the agent's id names it."""
    own = plain.knowledge.open(row)
    if own is not None:
        own = replace(own, knowledge_id=own.knowledge_id or row.id)
        copy.knowledge = plain.knowledge.seal(copy.id, own, list_issues(row))
