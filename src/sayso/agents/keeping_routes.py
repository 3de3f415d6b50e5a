"""The REST API of copies, versions and second thoughts; all of it is an extension."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Path

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.agents.service import Agents
from sayso.agents.versions import VersionView
from sayso.agents.views import AgentView
from sayso.bodies import EXTENSION
from sayso.config import Settings

_ID = Path(alias="agentId", description="The agent's id.")
_NUMBER = Path(alias="number", description="The version's number.", ge=1, le=2_147_483_647)
_EXTENSION: dict[str, Any] = dict(EXTENSION)


def keeping_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    """The routes below `/api/v1/agents/{agentId}` that copy, restore and bring back."""
    router = APIRouter(prefix="/agents/{agentId}", tags=["agents"])
    anybody = access.account()
    creator = access.account("create agent", settings.create_agent_per_min)
    updater = access.account("update agent", settings.update_agent_per_min)

    @router.post("/duplicate", status_code=201, summary="Copy an agent", openapi_extra=_EXTENSION)
    async def duplicate_agent(
        agent_id: str = _ID, account: Account = Depends(creator)
    ) -> AgentView:
        """Everything but conversations and versions, secrets and files as well.

        Nothing is checked anew; the copy's name ends with "(copy)".
        """
        return await agents.duplicate(account, agent_id)

    @router.post("/undelete", summary="Bring back a deleted agent", openapi_extra=_EXTENSION)
    async def undelete_agent(agent_id: str = _ID, account: Account = Depends(anybody)) -> AgentView:
        """Within `SAYSO_KEEP_DELETED_MIN` minutes, with its conversations and files."""
        return await agents.undelete(account, agent_id)

    @router.get("/versions", summary="List an agent's versions", openapi_extra=_EXTENSION)
    async def list_agent_versions(
        agent_id: str = _ID, account: Account = Depends(anybody)
    ) -> list[VersionView]:
        """The newest first, which is the agent as it is; at most 100 are kept."""
        return list(await agents.versions(account, agent_id))

    @router.get("/versions/{number}", summary="Read an agent's version", openapi_extra=_EXTENSION)
    async def get_agent_version(
        agent_id: str = _ID, number: int = _NUMBER, account: Account = Depends(anybody)
    ) -> AgentView:
        """The agent as it was then; files and picture are as they are now."""
        return await agents.version(account, agent_id, number)

    @router.post(
        "/versions/{number}/restore",
        summary="Make an agent what it was",
        openapi_extra=_EXTENSION,
    )
    async def restore_agent_version(
        agent_id: str = _ID, number: int = _NUMBER, account: Account = Depends(updater)
    ) -> AgentView:
        """A change as any other, secrets as well: servers that differ are checked first."""
        return await agents.restore(account, agent_id, number)

    return router
