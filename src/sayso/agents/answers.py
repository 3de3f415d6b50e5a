"""A stored agent as it is answered."""

from __future__ import annotations

from collections.abc import Sequence

from sayso.agents.avatars import read_avatar
from sayso.agents.issues import read_issues
from sayso.agents.llms import is_own
from sayso.agents.options import AnsweredBy
from sayso.agents.plain import PLAIN_FIELDS
from sayso.agents.servers import Servers
from sayso.agents.views import AgentView
from sayso.bodies import FieldWarning
from sayso.sources.schema import CriticalKnowledgeFile
from sayso.store.tables import AgentRow


class Answers:
    """What this installation answers of agents."""

    def __init__(self, servers: Servers, built_in: AnsweredBy, url: str) -> None:
        """`built_in` answers for agents without `llm`; `url` is where this server is reached."""
        self._servers = servers
        self._built_in = built_in
        self._url = url

    def view(
        self,
        row: AgentRow,
        files: Sequence[CriticalKnowledgeFile],
        warnings: Sequence[FieldWarning] = (),
    ) -> AgentView:
        """An agent with its files; `warnings` are of what this very request sent."""
        return AgentView(
            id=row.id,
            **{name: getattr(row, name) for name in PLAIN_FIELDS},
            llm=self._servers.llm.view(row),
            **self._servers.knowledge.view(row),
            mcp_servers=self._servers.mcp.view(row),
            avatar_photo_url=self._avatar_url(row),
            critical_knowledge_files=list(files),
            phone_numbers=[],
            answered_by=self.answered_by(row),
            llm_issues=read_issues(row.llm_issues),
            warnings=list(warnings),
        )

    def answered_by(self, row: AgentRow) -> AnsweredBy:
        """What answers for an agent."""
        return "llm" if is_own(row) else self._built_in

    def _avatar_url(self, row: AgentRow) -> str | None:
        avatar = read_avatar(row)
        path = f"{self._url}/api/v1/agents/{row.id}/avatar"
        return avatar and f"{path}?v={avatar.digest[:16]}"
