"""The REST API of agents' pictures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import FileResponse

from sayso.accounts.access import COOKIE, Access
from sayso.accounts.schema import Account
from sayso.agents.avatars import receive
from sayso.agents.service import Agents
from sayso.agents.views import AgentView
from sayso.bodies import EXTENSION
from sayso.config import Settings

_ID = Path(alias="agentId", description="The agent's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)
_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
_PICTURE = {one: {"schema": {"type": "string", "format": "binary"}} for one in _TYPES}
_BODY = {"requestBody": {"required": True, "content": _PICTURE}}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


def avatar_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    """The routes of `/api/v1/agents/{agentId}/avatar`."""
    router = APIRouter(prefix="/agents/{agentId}/avatar", tags=["agents"])
    updater = access.account("update agent", settings.update_agent_per_min)

    @router.put("", summary="Give an agent a picture", openapi_extra={**_EXTENSION, **_BODY})
    async def put_avatar(
        request: Request, agent_id: str = _ID, account: Account = Depends(updater)
    ) -> AgentView:
        """The picture itself is the body: PNG, JPEG, WebP or GIF, at most 1 MB."""
        await agents.demand(account, agent_id)
        return await agents.set_avatar(account, agent_id, await receive(request.stream()))

    @router.delete(
        "", status_code=204, summary="Take an agent's picture away", openapi_extra=_EXTENSION
    )
    async def delete_avatar(agent_id: str = _ID, account: Account = Depends(updater)) -> None:
        await agents.set_avatar(account, agent_id, None)

    @router.get(
        "",
        summary="An agent's picture",
        response_class=FileResponse,
        responses={200: {"content": _PICTURE, "description": "The picture."}},
        openapi_extra=_EXTENSION,
    )
    async def get_avatar(request: Request, agent_id: str = _ID) -> FileResponse:
        """For anybody, where the agent is not private; else for its owner."""
        row = await agents.find_avatar(agent_id)
        if row.visibility == "private":
            sent = request.headers
            account = await access.who(
                request,
                sent.get("authorization"),
                sent.get("x-user-id"),
                request.cookies.get(COOKIE),
            )
            await agents.demand(account, agent_id)
        avatar, path = agents.avatars.path(row)
        return FileResponse(path, media_type=avatar.type, headers=_HEADERS)

    return router
