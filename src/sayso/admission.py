"""Whether whoever knocks may talk to an agent: by key, by ticket, or by the page they come from.

    key or ticket ─► agent ─► theirs? ─► private? ─► from an allowed page?

Nobody is refused twice for one reason: the owner's key, and a ticket for the agent, open it from
anywhere. A visitor without either is asked where they come from, if the owner wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sayso.accounts.origins import is_ours, read_origin
from sayso.accounts.service import Accounts
from sayso.accounts.tickets import PREFIX, Ticket
from sayso.agents.agent import Agent
from sayso.agents.service import Agents
from sayso.errors import ForbiddenError, NotFoundError, TalkCode, TalkError
from sayso.transport.playai import EARLIEST


@dataclass(frozen=True, slots=True)
class Entrance:
    """One of the contract's talk URLs.

    Attributes:
        needs_key: `setup` must carry the API key of the agent's owner, or a ticket.
        defaults: what `setup` may leave out here.
    """

    needs_key: bool
    defaults: Mapping[str, Any] | None = None


TALK = Entrance(needs_key=True)
START_CONVERSATION = Entrance(needs_key=False)
AGENT_CONVERSATION = Entrance(needs_key=True, defaults=EARLIEST)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who knocks.

    Attributes:
        secret: the `apiKey` of their `setup`, if any: a key or a ticket.
        origin: the page a browser has open, as it says; None where there is no browser.
        host: the name by which they called this server.
        transfers: they can hand a caller on, for which they are told telephone numbers.
    """

    secret: str | None
    origin: str | None = None
    host: str | None = None
    transfers: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides who may talk.

    Attributes:
        accounts, agents: the stored side.
        url: where this server is reached; its own pages are always allowed.
    """

    accounts: Accounts
    agents: Agents
    url: str

    async def admit(self, visitor: Visitor, agent_id: str, entrance: Entrance) -> Agent:
        """The agent, if `visitor` may talk to it here. Raises TalkError."""
        secret = (visitor.secret or "").strip().removeprefix("Bearer ").strip()
        user_id = ""
        has_ticket = secret.startswith(PREFIX)
        if has_ticket:
            await self._check_ticket(secret, agent_id)
        elif secret:
            user_id = await self._whose_key(secret)
        elif entrance.needs_key:
            raise TalkError("setup needs an apiKey", code=TalkCode.INVALID_TOKEN)
        agent = await self._load(agent_id)
        if not has_ticket and user_id != agent.owner_id:
            self._check_stranger(visitor, agent, entrance)
        if visitor.transfers and user_id != agent.owner_id:
            raise TalkError(
                "a client with canTransfer is told telephone numbers: setup needs the apiKey of "
                "the agent's owner",
                code=TalkCode.UNAUTHORIZED,
            )
        return agent

    async def list_origins(self, agent_id: str) -> Sequence[str]:
        """The pages an agent may be on, for whoever puts it into a frame; none for any."""
        try:
            agent = await self.agents.load(agent_id)
        except (NotFoundError, ForbiddenError):
            return ()
        return sorted(agent.allowed_origins)

    def _check_stranger(self, visitor: Visitor, agent: Agent, entrance: Entrance) -> None:
        """Refuse who has nothing of the owner's, where that is not enough."""
        if entrance.needs_key:
            raise TalkError(
                "the apiKey does not belong to the agent's creator",
                code=TalkCode.INVALID_CREDENTIALS,
            )
        if agent.visibility == "private":
            raise TalkError(
                "this agent is private: setup needs the apiKey of its owner",
                code=TalkCode.UNAUTHORIZED,
            )
        if agent.allowed_origins and not self._is_allowed(visitor, agent):
            place = read_origin(visitor.origin or "") or "outside a browser"
            raise TalkError(
                f"this agent is not talked to from {place}: its owner allows certain pages only "
                "(allowedOrigins)",
                code=TalkCode.FORBIDDEN_ORIGIN,
            )

    def _is_allowed(self, visitor: Visitor, agent: Agent) -> bool:
        if visitor.origin is None:
            return False
        if is_ours(visitor.origin, visitor.host, self.url):
            return True
        return read_origin(visitor.origin) in agent.allowed_origins

    async def _load(self, agent_id: str) -> Agent:
        try:
            return await self.agents.load(agent_id)
        except (NotFoundError, ForbiddenError):
            raise TalkError(
                f"there is no agent {agent_id!r}", code=TalkCode.INVALID_AGENT
            ) from None

    async def _check_ticket(self, text: str, agent_id: str) -> None:
        ticket = self.accounts.tickets.read(text)
        if ticket is None:
            raise TalkError("the ticket is not known", code=TalkCode.INVALID_TOKEN)
        if self.accounts.tickets.has_ended(ticket):
            raise TalkError("the ticket has ended: ask for a new one", code=TalkCode.INVALID_TOKEN)
        if ticket.agent_id != agent_id:
            raise TalkError("the ticket is for another agent", code=TalkCode.INVALID_CREDENTIALS)
        await self._check_key_of(ticket)

    async def _check_key_of(self, ticket: Ticket) -> None:
        """A ticket made with a key is worth as much as that key."""
        if ticket.key_id and not await self.accounts.is_in_use(ticket.key_id):
            raise TalkError(
                "the key this ticket was made with was revoked", code=TalkCode.INVALID_TOKEN
            )

    async def _whose_key(self, key: str) -> str:
        account = await self.accounts.authenticate_key(key)
        if account is None:
            raise TalkError("the apiKey is not known", code=TalkCode.INVALID_TOKEN)
        return account.user_id
