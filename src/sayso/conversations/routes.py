"""The REST API of conversations (contract §2.5)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Path, Response

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.conversations.schema import ConversationView, LineView, TurnView
from sayso.conversations.service import Conversations
from sayso.store.paging import PAGE_RESPONSE, PageRequest, page_request

_AGENT = Path(alias="agentId", description="The agent's id.")
_CONVERSATION = Path(alias="conversationId", description="The conversation's id.")
_EXTENSION: dict[str, Any] = {"x-sayso-extension": True}


def conversation_routes(conversations: Conversations, access: Access) -> APIRouter:
    """The routes below `/api/v1/agents/{agentId}/conversations`."""
    router = APIRouter(prefix="/agents/{agentId}/conversations", tags=["conversations"])
    anybody = access.account()

    @router.get("", summary="List an agent's conversations", responses=PAGE_RESPONSE)
    async def list_conversations(
        response: Response,
        agent_id: str = _AGENT,
        request: PageRequest = Depends(page_request),
        account: Account = Depends(anybody),
    ) -> list[ConversationView]:
        """Newest first."""
        page = await conversations.page(account, agent_id, request)
        response.headers.update(page.headers())
        return list(page.rows)

    @router.get("/{conversationId}", summary="Read a conversation")
    async def get_conversation(
        agent_id: str = _AGENT,
        conversation_id: str = _CONVERSATION,
        account: Account = Depends(anybody),
    ) -> ConversationView:
        """Its times and its source; what was said is in the transcript."""
        return await conversations.get(account, agent_id, conversation_id)

    @router.get(
        "/{conversationId}/transcript",
        summary="Read a conversation's transcript",
        responses=PAGE_RESPONSE,
    )
    async def get_transcript(
        response: Response,
        agent_id: str = _AGENT,
        conversation_id: str = _CONVERSATION,
        request: PageRequest = Depends(page_request),
        account: Account = Depends(anybody),
    ) -> list[LineView]:
        """In the order it was said; the agent's lines as far as they were heard."""
        page = await conversations.transcript(account, agent_id, conversation_id, request)
        response.headers.update(page.headers())
        return list(page.rows)

    @router.get(
        "/{conversationId}/turns",
        summary="How long each turn took",
        responses=PAGE_RESPONSE,
        openapi_extra=_EXTENSION,
    )
    async def list_turns(
        response: Response,
        agent_id: str = _AGENT,
        conversation_id: str = _CONVERSATION,
        request: PageRequest = Depends(page_request),
        account: Account = Depends(anybody),
    ) -> list[TurnView]:
        """In order; each timing's unit is in its name."""
        page = await conversations.turns(account, agent_id, conversation_id, request)
        response.headers.update(page.headers())
        return list(page.rows)

    return router
