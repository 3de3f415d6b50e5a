"""Hashes passwords with Argon2id, in a thread: a hash takes 25 ms of a core and 19 MiB.

The parameters are OWASP's for a server with other things to do (19 MiB, two passes, one lane).
One hash is made at a time, so that people who sign in do not slow those who talk.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from sayso.errors import TooManyError

MIN_PASSWORD_CHARS: Final = 10
MAX_PASSWORD_CHARS: Final = 200
"""What is longer is refused: hashing it would cost us, and add nothing."""
MAX_WAITING: Final = 32
"""Passwords waiting to be looked at; more are asked to come again in a moment."""

NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$r2ke5rEHCCm2v5h3pTyMEA"
    "$BPzwJ9s0TD1oOR7xiYlnq8JDjt8Wb9dy4k0ukRKBFmY"
)
"""A hash with our parameters that stands in where there is none: both take the same time."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

T = TypeVar("T")


class Passwords:
    """Makes hashes and compares with them, one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def hash(self, password: SecretStr) -> str:
        """The text to store. Raises TooManyError when too many wait."""
        return await self._aside(lambda: _hasher.hash(_normal(password)))

    async def matches(self, stored: str | None, password: SecretStr) -> bool:
        """Whether `stored` was made of `password`; without one it takes as long, and is False.

        Raises:
            TooManyError: too many wait.
        """
        same = await self._aside(lambda: _verify(stored or NOBODYS, _normal(password)))
        return same and stored is not None

    async def _aside(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise TooManyError(
                "too many people sign in at this moment", retry_after_s=5, hint="Try again in 5 s."
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: SecretStr) -> str:
    """One spelling for each password, whichever keyboard it was typed on (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password.get_secret_value())
