"""The `knowledge` field of agents: understood, checked and sealed before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sayso.agents.choices import choose_knowledge
from sayso.agents.issues import LlmIssue
from sayso.agents.knowledge import KnowledgeSafe, OwnKnowledge, list_issues
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.reports import KnowledgeCheckView, NewKnowledgeCheck
from sayso.agents.schema import NewAgent
from sayso.errors import ConflictError
from sayso.knowledge.place import Place
from sayso.llm import Told
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow
from sayso.variables import Variable, show_all


@dataclass(frozen=True, slots=True)
class ReadyKnowledge:
    """A `knowledge` field that may be saved.

    Attributes:
        issues: what was noticed just now.
    """

    issues: Sequence[LlmIssue]
    _sealed: dict[str, Any] | None
    _seen: dict[str, Any] | None

    def put_into(self, row: AgentRow) -> None:
        """Store it. Raises ConflictError when somebody else stored another one meanwhile."""
        if row.knowledge != self._seen:
            raise ConflictError(
                "the agent's knowledge was changed by another request meanwhile",
                field="knowledge",
                hint="Read the agent again and repeat your change.",
            )
        row.knowledge = self._sealed


class KnowledgeField:
    """What agents say of their owners' retrieval servers."""

    def __init__(self, secrets: Secrets, checks: KnowledgeChecks) -> None:
        self._safe = KnowledgeSafe(secrets)
        self._checks = checks

    async def prepare(
        self, agent_id: str, body: NewAgent, row: AgentRow | None = None
    ) -> ReadyKnowledge | None:
        """Check the `knowledge` of `body`, if it was sent; `row` is the agent as it is stored.

        One that is asked as it is stored is not checked again.

        Raises:
            BadRequestError: a conversation would get nothing from it, or a mask stands for nothing.
        """
        if "knowledge" not in body.model_fields_set:
            return None
        own, seen = (None, None) if row is None else (self._safe.open(row), row.knowledge)
        meant = choose_knowledge(body.knowledge, own)
        if meant is None:
            return ReadyKnowledge((), None, seen)
        before: Mapping[str, Variable] = {} if row is None else row.variables
        told = row is None or "variables" in body.model_fields_set
        asked = _fill(meant, agent_id, body.variables if told else before)
        if row is not None and own is not None and asked == _fill(own, agent_id, before):
            kept = self._safe.seal(agent_id, meant, list_issues(row))
            return ReadyKnowledge((), kept, seen)
        issues = await self._checks.demand(asked)
        sealed = self._safe.seal(agent_id, meant, issues)
        return ReadyKnowledge(issues, sealed, seen)

    async def try_out(self, body: NewKnowledgeCheck, row: AgentRow | None) -> KnowledgeCheckView:
        """Check a retrieval server without saving; `row` is whose secrets it may use.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
        """
        own = None if row is None else self._safe.open(row)
        meant = choose_knowledge(body, own)
        assert meant is not None  # noqa: S101 - there is a body
        agent_id, variables = ("check", {}) if row is None else (row.id, row.variables)
        return await self._checks.check(_fill(meant, agent_id, variables), body.query)

    def view(self, row: AgentRow) -> dict[str, Any]:
        """What an agent's answer says of it, by the names of `AgentView`."""
        return self._safe.view(row)

    def place(self, row: AgentRow) -> Place | None:
        """Where a conversation asks; variables are not filled in yet."""
        return self._safe.place(row)


def _fill(own: OwnKnowledge, agent_id: str, variables: Mapping[str, Variable]) -> Place:
    """As a conversation with an agent of these `variables` would ask it."""
    told = Told(agent_id=agent_id, variables=show_all(variables))
    return own.place(agent_id).fill(told.values)
