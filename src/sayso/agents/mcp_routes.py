"""The REST API of checks of MCP servers; all of it is an extension of the contract."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.agents.service import Agents
from sayso.bodies import EXTENSION
from sayso.config import Settings
from sayso.functions.mcp.schema import McpCheckView, NewMcpCheck

_EXTENSION: dict[str, Any] = dict(EXTENSION)


def mcp_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    """The routes below `/api/v1` that check MCP servers."""
    router = APIRouter(tags=["mcp checks"])
    checker = access.account("check mcp", settings.check_mcp_per_min)

    @router.post(
        "/mcp-checks",
        summary="Check an MCP server, list its tools, and save nothing",
        openapi_extra=_EXTENSION,
    )
    async def check_mcp(body: NewMcpCheck, account: Account = Depends(checker)) -> McpCheckView:
        """The body is one of `mcpServers`; a check that fails is answered with 200 as well."""
        return await agents.trials.try_mcp(account, body)

    return router
