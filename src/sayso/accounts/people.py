"""People who sign up and sign in: who they are, and how they prove it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account, AccountChanges, AccountRules, Browser, NewAccount
from sayso.accounts.sessions import Sessions, end_others, is_fresh
from sayso.clock import Clock
from sayso.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TooManyError,
    UnauthorizedError,
)
from sayso.security.limits import Limits, Rate
from sayso.security.passwords import Passwords
from sayso.store.database import Database
from sayso.store.identifiers import new_user_id
from sayso.store.tables import UserRow

_FORGOTTEN: Final = (
    "No mail is sent from here: if you forgot the password, ask the operator for a sign-in link "
    "(`sayso link`)."
)
_TAKEN: Final = "there is an account with this email already"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose account it is."""

    user_id: str
    email: str | None
    name: str | None
    has_password: bool


class People:
    """The people who have accounts here."""

    def __init__(
        self, database: Database, clock: Clock, sessions: Sessions, rules: AccountRules
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._rules = rules
        self._passwords = Passwords()
        self._attempts = Limits()

    async def find(self, user_id: str) -> Person:
        """Read an account. Raises NotFoundError."""
        async with self._database.read() as session:
            return _person(await _row(session, user_id))

    async def id_of(self, email: str) -> str:
        """Whose email this is. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await _row_of(session, email)
        if row is None:
            raise NotFoundError(f"there is no account with the email {email!r}")
        return row.id

    async def sign_up(self, body: NewAccount, address: str) -> Browser:
        """Make an account, and sign its browser in.

        Raises:
            ForbiddenError: the operator lets nobody sign up.
            ConflictError: the email is taken, or there are as many accounts as there may be.
            TooManyError: too many attempts from this address.
        """
        if not self._rules.sign_up_open:
            raise ForbiddenError(
                "nobody can sign up on this server",
                hint="Its operator can open it to everybody: SAYSO_SIGN_UP=open.",
            )
        self._count(f"from {address}")
        password = await self._passwords.hash(body.password)
        user_id = new_user_id()
        try:
            async with self._database.write() as session:
                await self._refuse_too_many(session)
                session.add(
                    UserRow(
                        id=user_id,
                        created_at=self._clock.utc(),
                        email=body.email,
                        name=_name(body.name),
                        password=password,
                    )
                )
        except IntegrityError:
            raise ConflictError(_TAKEN, field="email") from None
        return await self._sessions.begin(user_id)

    async def sign_in(self, email: str, password: SecretStr, address: str) -> Browser:
        """Sign a browser in by password; an unknown email takes as long as a wrong password.

        Raises:
            UnauthorizedError: they do not belong together.
            TooManyError: too many attempts from this address, or for this email and none right.
        """
        email = email.strip().lower()
        self._count(f"from {address}")
        async with self._database.read() as session:
            row = await _row_of(session, email)
        stored = None if row is None else row.password
        if not await self._passwords.matches(stored, password) or row is None:
            self._count(f"for {email}")  # only now: strangers must not lock out who knows it
            raise UnauthorizedError("the email or the password is wrong", hint=_FORGOTTEN)
        return await self._sessions.begin(row.id)

    async def sign_in_by_link(self, token: SecretStr, address: str) -> Browser:
        """Sign a browser in by a printed link. Raises UnauthorizedError, TooManyError."""
        self._count(f"by link from {address}")
        return await self._sessions.begin_by_link(token)

    async def change(self, account: Account, body: AccountChanges) -> Person:
        """Change what was sent; a new password signs all other browsers out.

        Raises:
            ForbiddenError: the current password is wrong, or was not sent and is needed.
            BadRequestError: there would be a password without an email.
            ConflictError: the email is taken.
            TooManyError: too many attempts.
        """
        if body.needs_proof:
            await self._prove(account, body.current_password)
        new = None if body.password is None else await self._passwords.hash(body.password)
        try:
            async with self._database.write() as session:
                row = await _row(session, account.user_id)
                if "name" in body.model_fields_set:
                    row.name = _name(body.name)
                row.email = body.email or row.email
                if new is not None:
                    _refuse_nameless(row)
                    row.password = new
                    await end_others(session, account)
                return _person(row)
        except IntegrityError:
            raise ConflictError(_TAKEN, field="email") from None

    async def _prove(self, account: Account, current: SecretStr | None) -> None:
        """Refuse who may have found the browser open: they must know the password."""
        async with self._database.read() as session:
            stored = (await _row(session, account.user_id)).password
            if stored is None or await is_fresh(session, account, self._clock.utc()):
                return
        if current is None:
            raise ForbiddenError(
                "this change needs the current password",
                field="currentPassword",
                hint=f"Send currentPassword. {_FORGOTTEN}",
            )
        self._count(f"for {account.user_id}")
        if not await self._passwords.matches(stored, current):
            raise ForbiddenError(
                "the current password is wrong", field="currentPassword", hint=_FORGOTTEN
            )

    async def _refuse_too_many(self, session: AsyncSession) -> None:
        there = await session.scalar(select(func.count()).select_from(UserRow)) or 0
        if there >= self._rules.max_accounts:
            raise ConflictError(
                f"this server has {there} accounts, which is the most it may have",
                hint="Ask its operator to raise SAYSO_MAX_ACCOUNTS.",
            )

    def _count(self, name: str) -> None:
        if not self._rules.sign_in_per_min:
            return
        wait_s = self._attempts.wait_s(name, Rate(self._rules.sign_in_per_min), self._clock.now_s())
        if wait_s > 0:
            raise TooManyError(
                f"there were more than {self._rules.sign_in_per_min} attempts in a minute",
                retry_after_s=math.ceil(wait_s),
                hint=f"Try again in {math.ceil(wait_s)} s.",
            )


def _name(text: str | None) -> str | None:
    return (text or "").strip() or None


def _person(row: UserRow) -> Person:
    return Person(row.id, row.email, row.name, row.password is not None)


def _refuse_nameless(row: UserRow) -> None:
    if row.email is None:
        raise BadRequestError(
            "a password needs an email to sign in with", field="email", hint="Send both."
        )


async def _row(session: AsyncSession, user_id: str) -> UserRow:
    row = await session.get(UserRow, user_id)
    if row is None:
        raise NotFoundError(f"there is no account {user_id!r}")
    return row


async def _row_of(session: AsyncSession, email: str) -> UserRow | None:
    found: UserRow | None = await session.scalar(
        select(UserRow).where(UserRow.email == email.strip().lower())
    )
    return found
