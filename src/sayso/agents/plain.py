"""An agent's fields as they would be sent, every secret in plain: to compare, copy and restore.

What comes out of here is never answered and never logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from sayso.agents.knowledge import KnowledgeSafe
from sayso.agents.llm_schema import BUILT_IN, OPENAI_COMPATIBLE
from sayso.agents.llms import LlmSafe
from sayso.agents.own_llm import OwnLlm
from sayso.agents.schema import NewAgent
from sayso.bodies import contract_name
from sayso.functions.mcp.safe import McpSafe
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow

PLAIN_FIELDS = frozenset(NewAgent.model_fields) - {"llm", "knowledge", "mcp_servers"}
"""Fields stored as they come; the others are taken apart."""


class PlainFields:
    """Reads stored agents as the bodies they were saved by."""

    def __init__(self, secrets: Secrets) -> None:
        self.llms = LlmSafe(secrets)
        self.knowledge = KnowledgeSafe(secrets)
        self.mcp = McpSafe(secrets)

    def read(self, row: AgentRow) -> dict[str, Any]:
        """All fields by the contract's names. Raises InstallationError."""
        plain = {contract_name(name): getattr(row, name) for name in sorted(PLAIN_FIELDS)}
        if row.message_plan is not None:
            plain["messagePlan"] = _contract_named(row.message_plan)
        plain["transferDestinations"] = [_contract_named(d) for d in row.transfer_destinations]
        return plain | {
            "llm": self._llm(row),
            "knowledge": self._knowledge(row),
            "mcpServers": self._mcp(row),
        }

    def _llm(self, row: AgentRow) -> dict[str, Any] | None:
        stored, main = row.llm, self.llms.open_main(row)
        if stored is None:
            return None
        if main is None:
            return {"type": BUILT_IN, "model": stored["model"]}
        plain = zip(stored.get("fallbacks") or [], self.llms.open_fallbacks(row), strict=True)
        return {
            **_server(main),
            "fallbacks": [
                {"type": BUILT_IN, "model": one["model"]} if own is None else _server(own)
                for one, own in plain
            ],
            "failureMessage": stored.get("failureMessage"),
            "hedgeAfterMs": stored.get("hedgeAfterMs"),
        }

    def _knowledge(self, row: AgentRow) -> dict[str, Any] | None:
        own = self.knowledge.open(row)
        if own is None:
            return None
        return {
            "baseURL": own.url,
            "apiKey": None if own.key is None else own.key.get_secret_value(),
            "topK": own.top_k,
            "timeoutMs": own.timeout_ms,
            "headers": own.headers,
            "knowledgeId": own.knowledge_id,
        }

    def _mcp(self, row: AgentRow) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "tools": list(one.tools),
                "timeoutSeconds": one.timeout_s,
                **({"command": one.command} if one.url is None else {"url": one.url}),
                **({"headers": dict(one.headers)} if one.headers else {}),
            }
            for one in self.mcp.open(row.id, row.mcp_servers, row.mcp_sealed)
        ]


def _contract_named(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {to_camel(name): value for name, value in stored.items()}


def _server(own: OwnLlm) -> dict[str, Any]:
    params = None if own.params is None else dict(own.params)
    for name, values in (("defaultHeaders", own.headers), ("query", own.query)):
        if values is not None:
            params = {**(params or {}), name: dict(values)}
    return {
        "type": OPENAI_COMPATIBLE,
        "baseURL": own.url,
        "apiKey": None if own.key is None else own.key.get_secret_value(),
        "baseParams": params,
        "timeouts": None if own.timeouts is None else dict(own.timeouts),
        "tell": own.tell,
    }
