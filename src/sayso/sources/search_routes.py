"""The REST API of asking what an agent knows, as a conversation would; ours, not the contract's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Path
from pydantic import Field, model_validator

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.bodies import EXTENSION, Body, ToWhole, View, refuse_unstorable
from sayso.config import Settings
from sayso.knowledge.passages import Found

MAX_QUERY_CHARS = 1000
MAX_TOP_K = 20

_ID = Path(alias="agentId", description="The agent's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)

Search: TypeAlias = Callable[[Account, str, str, int | None], Awaitable[Sequence[Found]]]
"""What an agent of an account would be shown for a question, at most so many passages."""


class NewSearch(Body):
    """The body of `POST /api/v1/agents/{agentId}/knowledge/search`."""

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)] = Field(
        description="A question, as a caller would ask it.", examples=["When do you open?"]
    )
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), ToWhole] | None = Field(
        default=None,
        description="The most passages; null is as many as a conversation is shown.",
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


class FoundPassage(View):
    """A passage that answers to a question may stand on."""

    text: str
    source: str
    page: int | None
    url: str | None
    score: float = Field(description="How well it fits, from 0 to 1.")


def search_routes(search: Search, access: Access, settings: Settings) -> APIRouter:
    """The route below `/api/v1/agents/{agentId}` that asks what the agent knows."""
    router = APIRouter(tags=["knowledge"])
    asker = access.account("search knowledge", settings.search_knowledge_per_min)

    @router.post(
        "/agents/{agentId}/knowledge/search",
        summary="Ask what an agent knows",
        openapi_extra=_EXTENSION,
    )
    async def search_knowledge(
        body: NewSearch, agent_id: str = _ID, account: Account = Depends(asker)
    ) -> list[FoundPassage]:
        """What a conversation would be shown for a question, best first.

        The agent's own `knowledge` server is asked first, then this server's own search. Critical
        knowledge that stands in the prompt is not searched.
        """
        return [view_found(one) for one in await search(account, agent_id, body.query, body.top_k)]

    return router


def view_found(one: Found) -> FoundPassage:
    """A passage as it is answered."""
    passage = one.passage
    return FoundPassage(
        text=passage.text,
        source=passage.source_name,
        page=passage.page,
        url=passage.url or None,
        score=one.score,
    )
