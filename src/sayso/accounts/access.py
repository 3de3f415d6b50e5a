"""Lets a request in by its key or its browser's cookie, then counts it against its limits.

A cookie is sent by a browser whoever made it ask, so it counts only for requests of our own pages:
`Sec-Fetch-Site` and `Origin` say where one comes from, and what changes something must carry a
header that no other page can add (docs/decisions/0019-cookies.md).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader

from sayso.accounts.origins import OUR_SITES, address_of, is_ours
from sayso.accounts.schema import Account
from sayso.accounts.service import Accounts
from sayso.clock import Clock
from sayso.errors import ForbiddenError, TooManyError, UnauthorizedError
from sayso.security.limits import Limits, Rate

COOKIE: Final = "sayso_session"
CONSOLE_HEADER: Final = "X-Sayso-Console"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

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
SESSION = APIKeyCookie(
    name=COOKIE,
    scheme_name="SessionCookie",
    description="A signed-in browser, on this server's own pages. What changes something needs "
    f"the header `{CONSOLE_HEADER}: 1` as well.",
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

        All browsers of an account count as one key. `limit` names what is counted; 0 per minute
        means no limit.
        """

        async def admit(account: Account = Depends(self.who)) -> Account:
            if limit is not None and per_minute > 0:
                self._count(f"{limit} {account.counted_as}", per_minute)
            return account

        return admit

    async def who(
        self,
        request: Request,
        authorization: str | None = Security(API_KEY),
        user_id: str | None = Security(USER_ID),
        cookie: str | None = Security(SESSION),
    ) -> Account:
        """A dependency that gives the account of a key or, without one, of a browser's cookie."""
        if cookie and not authorization:
            return await self._browser(request, cookie)
        return await self._accounts.authenticate(authorization, user_id)

    async def browser(self, request: Request, cookie: str | None = Security(SESSION)) -> Account:
        """A dependency that gives the account of a signed-in browser; a key is not enough."""
        if not cookie:
            raise UnauthorizedError(
                "this is for signed-in browsers, not for API keys", hint="Sign in first."
            )
        return await self._browser(request, cookie)

    def refuse_foreign(self, request: Request) -> None:
        """Refuse requests that another site's page made. Raises ForbiddenError."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        foreign = site is not None and site not in OUR_SITES
        url = self._accounts.rules.url
        if origin is not None and not is_ours(origin, request.headers.get("host"), url):
            foreign = True
        if foreign:
            raise ForbiddenError(
                "this request comes from a page of another site",
                hint="Signed-in browsers are served on this server's own pages only; other sites "
                "send an API key. Behind a proxy, set SAYSO_PUBLIC_URL.",
            )

    def refuse_forged(self, request: Request) -> None:
        """Refuse what another page may have made a browser do. Raises ForbiddenError."""
        self.refuse_foreign(request)
        if request.method not in SAFE_METHODS and CONSOLE_HEADER not in request.headers:
            raise ForbiddenError(
                f"a signed-in browser changes something only with the header {CONSOLE_HEADER}",
                hint=f"Send `{CONSOLE_HEADER}: 1`, or use an API key.",
            )

    def address(self, request: Request) -> str:
        """Whose attempts count together."""
        peer = request.client.host if request.client else None
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        return address_of(peer, forwarded, self._accounts.rules.proxies)

    async def _browser(self, request: Request, cookie: str) -> Account:
        self.refuse_forged(request)
        account = await self._accounts.sessions.find(cookie)
        if account is None:
            raise UnauthorizedError(
                "this browser is not signed in any more", hint="Sign in again at /sign-in."
            )
        return account

    def _count(self, name: str, per_minute: int) -> None:
        wait_s = self._limits.wait_s(name, Rate(per_minute), self._clock.now_s())
        if wait_s > 0:
            raise TooManyError(
                f"there were more than {per_minute} such requests in a minute",
                retry_after_s=math.ceil(wait_s),
                hint=f"Try again in {math.ceil(wait_s)} s.",
            )
