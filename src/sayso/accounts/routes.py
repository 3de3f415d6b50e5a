"""The REST API of accounts: who is signed in, and their API keys. All of it is ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from fastapi import APIRouter, Cookie, Depends, Path, Request, Response, Security

from sayso.accounts.access import API_KEY, COOKIE, SESSION, USER_ID, Access
from sayso.accounts.people import Person
from sayso.accounts.schema import (
    Account,
    AccountChanges,
    AccountRules,
    Browser,
    KeyInfo,
    KeyView,
    NewAccount,
    NewKeyBody,
    NewKeyView,
    SessionView,
    SignIn,
)
from sayso.accounts.service import Accounts
from sayso.bodies import EXTENSION
from sayso.errors import NobodyError, UnauthorizedError

_ID = Path(alias="keyId", description="The key's id, not the key itself.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)

Greet: TypeAlias = Callable[[Account], Awaitable[None]]
"""What is done for an account just made."""


def account_routes(accounts: Accounts, access: Access, greet: Greet | None = None) -> APIRouter:
    """The routes `/api/v1/session`, `/api/v1/account` and `/api/v1/api-keys`.

    `greet` is called with each account that signs up, before its browser is answered.
    """
    router = APIRouter(tags=["accounts"])
    _add_session(router, accounts, access)
    _add_account(router, accounts, access, greet)
    _add_keys(router, accounts, access)
    return router


def _add_session(router: APIRouter, accounts: Accounts, access: Access) -> None:
    async def somebody(
        request: Request,
        authorization: str | None = Security(API_KEY),
        user_id: str | None = Security(USER_ID),
        cookie: str | None = Security(SESSION),
    ) -> Account:
        try:
            return await access.who(request, authorization, user_id, cookie)
        except UnauthorizedError as error:
            raise NobodyError(
                error.message if authorization or cookie else "nobody is signed in",
                hint=error.hint if authorization else "Sign in at /sign-in, or send an API key.",
                sign_up_open=accounts.rules.sign_up_open,
            ) from None

    @router.get("/session", summary="Tell who is signed in", openapi_extra=_EXTENSION)
    async def get_session(
        request: Request,
        response: Response,
        account: Account = Depends(somebody),
        cookie: str | None = Cookie(default=None, alias=COOKIE, include_in_schema=False),
    ) -> SessionView:
        """A 401 has `signUpOpen`, too. A signed-in browser stays so for its whole time anew."""
        if account.session_id and cookie:
            _set_cookie(request, response, cookie, accounts.rules)
        person = await accounts.people.find(account.user_id)
        return _view_session(person, account, accounts.rules)

    @router.post("/session", summary="Sign in", openapi_extra=_EXTENSION)
    async def sign_in(body: SignIn, request: Request, response: Response) -> SessionView:
        """With an email and its password, or with a sign-in link; the answer sets a cookie."""
        access.refuse_foreign(request)
        address = access.address(request)
        if body.link.get_secret_value():
            browser = await accounts.people.sign_in_by_link(body.link, address)
        else:
            browser = await accounts.people.sign_in(body.email, body.password, address)
        return await _let_in(request, response, browser, accounts)

    @router.delete("/session", status_code=204, summary="Sign out", openapi_extra=_EXTENSION)
    async def sign_out(
        request: Request,
        response: Response,
        cookie: str | None = Cookie(default=None, alias=COOKIE, include_in_schema=False),
    ) -> None:
        """Of this browser; who is not signed in stays so."""
        if cookie:
            access.refuse_forged(request)
            await accounts.sessions.end(cookie)
        response.delete_cookie(
            COOKIE, httponly=True, samesite="lax", secure=_is_secure(request, accounts.rules)
        )


def _add_account(
    router: APIRouter, accounts: Accounts, access: Access, greet: Greet | None
) -> None:
    @router.post("/account", status_code=201, summary="Sign up", openapi_extra=_EXTENSION)
    async def sign_up(body: NewAccount, request: Request, response: Response) -> SessionView:
        """Make an account, and sign in; only where the operator allows it (`SAYSO_SIGN_UP`)."""
        access.refuse_foreign(request)
        browser = await accounts.people.sign_up(body, access.address(request))
        if greet is not None:
            await greet(Account(browser.user_id, "", browser.session_id))
        return await _let_in(request, response, browser, accounts)

    @router.patch("/account", summary="Change your account", openapi_extra=_EXTENSION)
    async def update_account(
        body: AccountChanges, account: Account = Depends(access.browser)
    ) -> SessionView:
        """Only by a signed-in browser. A new password signs all other browsers out."""
        person = await accounts.people.change(account, body)
        return _view_session(person, account, accounts.rules)


def _add_keys(router: APIRouter, accounts: Accounts, access: Access) -> None:
    anybody = access.account()

    @router.get("/api-keys", summary="List your API keys", openapi_extra=_EXTENSION)
    async def list_api_keys(account: Account = Depends(anybody)) -> list[KeyView]:
        """Newest first, revoked ones included; there are no pages."""
        return [_view_key(key) for key in reversed(await accounts.keys(account.user_id))]

    @router.post("/api-keys", status_code=201, summary="Make an API key", openapi_extra=_EXTENSION)
    async def create_api_key(body: NewKeyBody, account: Account = Depends(anybody)) -> NewKeyView:
        """The answer is the only one that has it."""
        made = await accounts.new_key(account.user_id, body.name.strip())
        key = made.api_key.get_secret_value()
        return NewKeyView(
            id=made.id,
            name=made.name,
            tail=key[-4:],
            created_at=made.created_at,
            last_used_at=None,
            revoked_at=None,
            api_key=key,
        )

    @router.delete(
        "/api-keys/{keyId}", status_code=204, summary="Revoke an API key", openapi_extra=_EXTENSION
    )
    async def revoke_api_key(key_id: str = _ID, account: Account = Depends(anybody)) -> None:
        """It is worthless at once, and so are the tickets that were made with it."""
        await accounts.revoke_key(account.user_id, key_id)


async def _let_in(
    request: Request, response: Response, browser: Browser, accounts: Accounts
) -> SessionView:
    """Give a browser its cookie, and say who it is."""
    _set_cookie(request, response, browser.token.get_secret_value(), accounts.rules)
    person = await accounts.people.find(browser.user_id)
    account = Account(browser.user_id, "", browser.session_id)
    return _view_session(person, account, accounts.rules)


def _set_cookie(request: Request, response: Response, token: str, rules: AccountRules) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(rules.session.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_secure(request, rules),
    )
    response.headers["Cache-Control"] = "no-store"


def _is_secure(request: Request, rules: AccountRules) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy in front: its `Origin` knows best."""
    seen = request.headers.get("origin") or rules.url
    return seen.startswith("https:") or request.url.scheme == "https"


def _view_session(person: Person, account: Account, rules: AccountRules) -> SessionView:
    return SessionView(
        user_id=person.user_id,
        email=person.email,
        name=person.name,
        has_password=person.has_password,
        signed_in_by="browser" if account.session_id else "key",
        sign_up_open=rules.sign_up_open,
    )


def _view_key(key: KeyInfo) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        tail=key.tail,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
