"""What an agent's LLM may do in one conversation, put together from all who offer something.

What the page around the caller and the conversation itself offer is added by `talk/session.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sayso.agents.schema import Agent
from sayso.functions import Toolbox
from sayso.functions.call import HttpCalls
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.tools import McpTools
from sayso.functions.service import Functions
from sayso.functions.toolboxes import join
from sayso.functions.tools import FunctionTools
from sayso.talk.actions import NOTHING, Action, Allowed


class Abilities:
    """Gathers the tools of agents.

    Args:
        functions: the stored external functions.
        calls: carries them out.
        mcp: the connections to MCP servers.
    """

    def __init__(self, functions: Functions, calls: HttpCalls, mcp: McpPool) -> None:
        self._functions = functions
        self._calls = calls
        self._mcp = mcp

    async def gather(self, agent: Agent, values: Mapping[str, str]) -> Toolbox:
        """The toolbox of `agent` for a conversation in which variables have these `values`.

        Raises:
            InstallationError: a function was sealed with another master key.
        """
        functions = await self._functions.load(agent.owner_id, agent.actions)
        return join(
            [
                FunctionTools(functions, self._calls, values),
                McpTools(self._mcp, agent.id, agent.mcp_servers, values),
            ]
        )


def list_allowed(agent: Agent) -> Allowed:
    """What `agent` may do without anybody's server."""
    actions = tuple(Action(name) for name in agent.built_in_actions)
    return Allowed(actions, agent.time_zone or NOTHING.time_zone)
