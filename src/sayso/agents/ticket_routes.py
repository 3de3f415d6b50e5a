"""The REST API of tickets: what lets a visitor talk to one agent without a key of its owner's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.accounts.service import Accounts
from sayso.accounts.tickets import MAX_TICKET_S, MIN_TICKET_S
from sayso.agents.service import Agents
from sayso.bodies import EXTENSION, Body, ToWhole, View
from sayso.config import Settings

_ID = Path(alias="agentId", description="The agent's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)


class NewTicket(Body):
    """The body of `POST /api/v1/agents/{agentId}/tickets`; it may be left away."""

    seconds: Annotated[int, Field(ge=MIN_TICKET_S, le=MAX_TICKET_S), ToWhole] | None = Field(
        default=None,
        description="How long the ticket lets conversations begin; null is the operator's setting "
        "(`SAYSO_TICKET_S`).",
    )


class TicketView(View):
    """A ticket: send it as `apiKey` in `setup`, at any of the talk URLs."""

    ticket: str = Field(description="Good for this agent only, any number of times.")
    expires_at: datetime = Field(
        description="When no conversation can be begun with it any more; those under way go on."
    )


def ticket_routes(
    agents: Agents, accounts: Accounts, access: Access, settings: Settings
) -> APIRouter:
    """The route below `/api/v1/agents/{agentId}` that makes tickets."""
    router = APIRouter(tags=["agents"])
    anybody = access.account()

    @router.post(
        "/agents/{agentId}/tickets",
        status_code=201,
        summary="Make a ticket to talk to an agent",
        openapi_extra=_EXTENSION,
    )
    async def create_ticket(
        body: NewTicket | None = None, agent_id: str = _ID, account: Account = Depends(anybody)
    ) -> TicketView:
        """For your server to hand to a visitor's browser, which must not have your key."""
        await agents.demand(account, agent_id)
        seconds = (body.seconds if body else None) or settings.ticket_s
        ticket, ends = accounts.tickets.write(account, agent_id, seconds)
        return TicketView(ticket=ticket.get_secret_value(), expires_at=ends)

    return router
