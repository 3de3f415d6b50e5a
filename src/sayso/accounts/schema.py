"""What an account and its keys look like outside the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Account:
    """Who sent a request, and with which key."""

    user_id: str
    key_id: str


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The account made on the first run; the only time its key is seen."""

    user_id: str
    api_key: SecretStr


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; the only time it is seen."""

    id: str
    api_key: SecretStr


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it is listed: `tail` is its last four characters."""

    id: str
    name: str
    tail: str
    created_at: datetime
    revoked_at: datetime | None
