"""Takes an agent's `knowledge` apart for the store, and puts it together again, as `llms.py` does.

Its key, its headers and the query of its base URL are sealed, each bound to its agent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from sayso.agents.issues import LlmIssue, dump_issues, read_issues
from sayso.agents.retrieval import Knowledge, KnowledgeView
from sayso.knowledge.place import Place
from sayso.security.masks import mask_key, mask_url, mask_values, split_query
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow


@dataclass(frozen=True, slots=True, repr=False)
class OwnKnowledge:
    """A retrieval server of an owner, its secrets in plain: as it was meant, or stored and opened.

    Attributes:
        url: its base URL.
        key: its API key, if it needs one.
        headers: sent with each request; null-valued ones are not.
        top_k: the most records that are asked for.
        timeout_ms: how long it may take.
        knowledge_id: which of its collections; None for the agent's id.
    """

    url: str
    key: SecretStr | None
    headers: Mapping[str, str | None] | None
    top_k: int
    timeout_ms: int
    knowledge_id: str | None
    query: None = field(default=None, init=False)
    """It has no parameters but those of its URL."""

    def place(self, agent_id: str) -> Place:
        """As it is asked; variables are not filled in yet."""
        headers = self.headers or {}
        return Place(
            base_url=self.url,
            api_key=self.key,
            knowledge_id=self.knowledge_id or agent_id,
            top_k=self.top_k,
            timeout_s=self.timeout_ms / 1000,
            headers={name: value for name, value in headers.items() if value is not None},
        )

    def view(self) -> KnowledgeView:
        """As it is answered, every secret masked."""
        return KnowledgeView(
            base_url=mask_url(self.url),
            api_key=None if self.key is None else mask_key(self.key.get_secret_value()),
            top_k=self.top_k,
            timeout_ms=self.timeout_ms,
            headers=None if self.headers is None else mask_values(self.headers),
            knowledge_id=self.knowledge_id,
        )


def read_knowledge(sent: Knowledge) -> OwnKnowledge:
    """A `knowledge` exactly as it was sent, masks and all."""
    return OwnKnowledge(
        sent.base_url, sent.api_key, sent.headers, sent.top_k, sent.timeout_ms, sent.knowledge_id
    )


class KnowledgeSafe:
    """Where the secrets of retrieval servers are sealed and opened."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def seal(self, agent_id: str, own: OwnKnowledge, issues: Sequence[LlmIssue]) -> dict[str, Any]:
        """A `knowledge` for the store, with what its check noticed."""
        base, query = split_query(own.url)
        key = None if own.key is None else own.key.get_secret_value()
        headers = None if own.headers is None else json.dumps(own.headers)

        def seal(value: str | None, what: str) -> str | None:
            return self._secrets.seal(value, _at(agent_id, what)) if value else None

        return {
            "baseURL": base,
            "urlQuery": seal(query, "url_query"),
            "key": seal(key, "key"),
            "headers": seal(headers, "headers"),
            "topK": own.top_k,
            "timeoutMs": own.timeout_ms,
            "knowledgeId": own.knowledge_id,
            "issues": dump_issues(issues),
        }

    def open(self, row: AgentRow) -> OwnKnowledge | None:
        """An agent's own retrieval server, if it has one. Raises InstallationError."""
        stored = row.knowledge
        if stored is None:
            return None

        def unseal(sealed: str | None, what: str) -> str | None:
            return None if sealed is None else self._secrets.open(sealed, _at(row.id, what))

        query = unseal(stored["urlQuery"], "url_query")
        key = unseal(stored["key"], "key")
        headers = unseal(stored["headers"], "headers")
        return OwnKnowledge(
            f"{stored['baseURL']}?{query}" if query else stored["baseURL"],
            None if key is None else SecretStr(key),
            None if headers is None else json.loads(headers),
            stored["topK"],
            stored["timeoutMs"],
            stored["knowledgeId"],
        )

    def view(self, row: AgentRow) -> dict[str, Any]:
        """What an agent's answer says of it, by the names of `AgentView`."""
        own = self.open(row)
        return {
            "knowledge": own and own.view(),
            "knowledge_issues": list_issues(row),
        }

    def place(self, row: AgentRow) -> Place | None:
        """Where a conversation asks. Raises InstallationError."""
        own = self.open(row)
        return None if own is None else own.place(row.id)


def list_issues(row: AgentRow) -> list[LlmIssue]:
    """What the last check of an agent's retrieval server noticed."""
    return read_issues((row.knowledge or {}).get("issues", ()))


def _at(agent_id: str, what: str) -> str:
    return f"agents:knowledge_{what}:{agent_id}"
