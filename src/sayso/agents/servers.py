"""The servers of its owner that an agent names: its LLM, its retrieval server, its MCP servers."""

from __future__ import annotations

from dataclasses import dataclass

from sayso.agents.checks import LlmChecks
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.knowledge_field import KnowledgeField
from sayso.agents.llm_field import LlmField
from sayso.agents.mcp_servers import AgentMcp
from sayso.functions.mcp.pool import McpPool
from sayso.security.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked before an agent is saved: its LLM, its retrieval server, its MCP servers."""

    llm: LlmChecks
    knowledge: KnowledgeChecks
    mcp: McpPool


class Servers:
    """The fields that name them, each checked before it is saved, and sealed in the store."""

    def __init__(self, checks: Checks, secrets: Secrets) -> None:
        self.llm = LlmField(secrets, checks.llm)
        self.knowledge = KnowledgeField(secrets, checks.knowledge)
        self.mcp = AgentMcp(checks.mcp, secrets)
