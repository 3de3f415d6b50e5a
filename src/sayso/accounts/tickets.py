"""Tickets: short-lived texts that let whoever has one talk to one agent, in the place of a key.

A ticket is signed, not stored: `tk-<payload>.<signature>`, the payload being the agent, the key it
was asked for with, and when it ends. A revoked key takes its tickets with it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import SecretStr

from sayso.accounts.schema import Account
from sayso.clock import Clock
from sayso.security.secrets import Secrets

PREFIX: Final = "tk-"
MIN_TICKET_S: Final = 10
MAX_TICKET_S: Final = 86_400
MAX_TICKET_CHARS: Final = 1000


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says: good for `agent_id` until `expires_at`, unless `key_id` is revoked."""

    agent_id: str
    key_id: str
    expires_at: datetime


class Tickets:
    """Writes tickets, and reads those it wrote."""

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    def write(self, account: Account, agent_id: str, seconds: int) -> tuple[SecretStr, datetime]:
        """A ticket for an agent of `account`, and when it ends."""
        ends = self._clock.utc().replace(microsecond=0) + timedelta(seconds=seconds)
        said = f"{agent_id} {account.key_id} {int(ends.timestamp())}"
        payload = base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
        return SecretStr(f"{PREFIX}{payload}.{self._secrets.sign(payload)}"), ends

    def read(self, text: str) -> Ticket | None:
        """What `text` says if we wrote it, whether or not it has ended; None for anything else."""
        if not text.startswith(PREFIX) or len(text) > MAX_TICKET_CHARS:
            return None
        payload, _, signature = text.removeprefix(PREFIX).partition(".")
        if not self._secrets.signed(payload, signature):
            return None
        return _parse(payload)

    def has_ended(self, ticket: Ticket) -> bool:
        """Whether its time is over."""
        return ticket.expires_at <= self._clock.utc()


def _parse(payload: str) -> Ticket | None:
    try:
        said = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        agent_id, key_id, ends = said.split(" ")
        return Ticket(agent_id, key_id, datetime.fromtimestamp(int(ends), UTC))
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
