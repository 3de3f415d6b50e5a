"""The REST API of agents (contract §2.1-2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Path, Response

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.agents.service import Agents
from sayso.agents.views import AgentStats, AgentView, VoiceView
from sayso.bodies import EXTENSION
from sayso.config import Settings
from sayso.store.paging import PAGE_RESPONSE, PageRequest, page_request
from sayso.tts import Voice

_ID = Path(alias="agentId", description="The agent's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)


def agent_routes(
    agents: Agents, voices: Sequence[Voice], access: Access, settings: Settings
) -> APIRouter:
    """The routes below `/api/v1` that make, change and read agents."""
    router = APIRouter(tags=["agents"])
    creator = access.account("create agent", settings.create_agent_per_min)
    updater = access.account("update agent", settings.update_agent_per_min)
    reader = access.account("get agent", settings.get_agent_per_min)
    counter = access.account("get stats", settings.get_stats_per_min)

    @router.post("/agents", status_code=201, summary="Create an agent")
    async def create_agent(body: NewAgent, account: Account = Depends(creator)) -> AgentView:
        """Its `llm`, if any, is called and checked first; nothing is saved when that fails."""
        return await agents.create(account, body)

    @router.get("/agents/{agentId}", summary="Read an agent")
    async def get_agent(agent_id: str = _ID, account: Account = Depends(reader)) -> AgentView:
        """Only the owner reads an agent, whatever its visibility."""
        return await agents.get(account, agent_id)

    @router.patch("/agents/{agentId}", summary="Change an agent")
    async def update_agent(
        body: AgentChanges, agent_id: str = _ID, account: Account = Depends(updater)
    ) -> AgentView:
        """Only the keys sent change; null clears what may be empty; new LLMs are checked first."""
        return await agents.update(account, agent_id, body)

    @router.get("/agent-stats/{agentId}", summary="Count an agent's conversations")
    async def get_agent_stats(
        agent_id: str = _ID, account: Account = Depends(counter)
    ) -> AgentStats:
        return await agents.stats(account, agent_id)

    every = APIRouter()
    every.include_router(router)
    every.include_router(_added_routes(agents, access))
    every.include_router(_voice_routes(voices, access))
    return every


def _added_routes(agents: Agents, access: Access) -> APIRouter:
    """What the original contract does not have."""
    router = APIRouter(tags=["agents"])
    anybody = access.account()

    @router.get(
        "/agents",
        summary="List your agents, newest first",
        responses=PAGE_RESPONSE,
        openapi_extra=_EXTENSION,
    )
    async def list_agents(
        response: Response,
        request: PageRequest = Depends(page_request),
        account: Account = Depends(anybody),
    ) -> list[AgentView]:
        page = await agents.page(account, request)
        response.headers.update(page.headers())
        return list(page.rows)

    @router.delete(
        "/agents/{agentId}",
        status_code=204,
        summary="Delete an agent and its conversations",
        openapi_extra=_EXTENSION,
    )
    async def delete_agent(agent_id: str = _ID, account: Account = Depends(anybody)) -> None:
        await agents.delete(account, agent_id)

    return router


def _voice_routes(voices: Sequence[Voice], access: Access) -> APIRouter:
    router = APIRouter(tags=["voices"])

    @router.get(
        "/voices",
        summary="List the voices",
        dependencies=[Depends(access.account())],
        openapi_extra=_EXTENSION,
    )
    async def list_voices() -> list[VoiceView]:
        """The first one is what an agent with an unknown voice speaks with."""
        return [VoiceView(**asdict(voice)) for voice in voices]

    return router
