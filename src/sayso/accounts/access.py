"""Lets a request in: reads the two headers, then counts it against its key's limits."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from fastapi import Security
from fastapi.security import APIKeyHeader

from sayso.accounts.schema import Account
from sayso.accounts.service import Accounts
from sayso.clock import Clock
from sayso.errors import TooManyError
from sayso.security.limits import Limits, Rate

API_KEY = APIKeyHeader(
    name="Authorization",
    scheme_name="ApiKeyAuth",
    description="`Bearer <API key>`.",
    auto_error=False,
)
USER_ID = APIKeyHeader(
    name="X-User-Id",
    scheme_name="XUserIdAuth",
    description="The user id shown beside the key; may be left away.",
    auto_error=False,
)


class Access:
    """The door of the REST API."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._limits = Limits()

    def account(
        self, limit: str | None = None, per_minute: int = 0
    ) -> Callable[..., Awaitable[Account]]:
        """A dependency that gives the account, at most `per_minute` times for each key.

        `limit` names what is counted; 0 per minute means no limit.
        """

        async def admit(
            authorization: str | None = Security(API_KEY),
            user_id: str | None = Security(USER_ID),
        ) -> Account:
            account = await self._accounts.authenticate(authorization, user_id)
            if limit is not None and per_minute > 0:
                self._count(f"{limit} {account.key_id}", per_minute)
            return account

        return admit

    def _count(self, name: str, per_minute: int) -> None:
        wait_s = self._limits.wait_s(name, Rate(per_minute), self._clock.now_s())
        if wait_s > 0:
            raise TooManyError(
                f"this API key made more than {per_minute} such requests in a minute",
                retry_after_s=math.ceil(wait_s),
                hint=f"Try again in {math.ceil(wait_s)} s.",
            )
