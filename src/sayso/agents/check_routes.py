"""The REST API of checks; all of it is an extension of the contract."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Path, Request, Response

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.agents.check_stream import STREAM_RESPONSE, wants_events, watch
from sayso.agents.reports import (
    AgentCheckView,
    KnowledgeCheckView,
    LlmCheckView,
    NewCheck,
    NewKnowledgeCheck,
)
from sayso.agents.service import Agents
from sayso.bodies import EXTENSION
from sayso.config import Settings

_ID = Path(alias="agentId", description="The agent's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)


def check_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    """The routes below `/api/v1` that check LLMs and retrieval servers, and read reports."""
    router = APIRouter(tags=["llm checks"])
    checker = access.account("check llm", settings.check_llm_per_min)

    @router.post(
        "/llm-checks",
        summary="Check an LLM, and save nothing",
        response_model=LlmCheckView,
        responses=STREAM_RESPONSE,
        openapi_extra=_EXTENSION,
    )
    async def check_llm(
        request: Request, body: NewCheck, account: Account = Depends(checker)
    ) -> LlmCheckView | Response:
        """The body is an `llm` object; a check that fails is answered with 200 as well.

        With `Accept: text/event-stream`, stages and findings are told as they come.
        """
        if wants_events(request):
            return await watch(partial(agents.trials.try_llm, account, body))
        return await agents.trials.try_llm(account, body)

    every = APIRouter()
    every.include_router(router)
    every.include_router(_report_routes(agents, access, settings))
    every.include_router(_knowledge_routes(agents, access, settings))
    return every


def _report_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    router = APIRouter(tags=["llm checks"])
    reader = access.account()
    checker = access.account("check llm", settings.check_llm_per_min)

    @router.get(
        "/agents/{agentId}/llm-check",
        summary="Read the last check of an agent's LLM",
        openapi_extra=_EXTENSION,
    )
    async def get_llm_check(
        agent_id: str = _ID, account: Account = Depends(reader)
    ) -> AgentCheckView:
        """It is made when `llm` is saved, and completed soon after, as are its fallbacks'."""
        return await agents.trials.last_check(account, agent_id)

    @router.post(
        "/agents/{agentId}/llm-check",
        summary="Check an agent's stored LLM now",
        response_model=AgentCheckView,
        responses=STREAM_RESPONSE,
        openapi_extra=_EXTENSION,
    )
    async def repeat_llm_check(
        request: Request, agent_id: str = _ID, account: Account = Depends(checker)
    ) -> AgentCheckView | Response:
        """The report replaces the last one; a check that fails is answered with 200 as well.

        With `Accept: text/event-stream`, stages and findings are told as they come.
        """
        if wants_events(request):
            return await watch(partial(agents.trials.check_again, account, agent_id))
        return await agents.trials.check_again(account, agent_id)

    return router


def _knowledge_routes(agents: Agents, access: Access, settings: Settings) -> APIRouter:
    router = APIRouter(tags=["knowledge checks"])
    checker = access.account("check knowledge", settings.check_llm_per_min)

    @router.post(
        "/knowledge-checks",
        summary="Check a retrieval server, and save nothing",
        openapi_extra=_EXTENSION,
    )
    async def check_knowledge(
        body: NewKnowledgeCheck, account: Account = Depends(checker)
    ) -> KnowledgeCheckView:
        """The body is a `knowledge` object; a check that fails is answered with 200 as well."""
        return await agents.trials.try_knowledge(account, body)

    return router
