"""Makes accounts and keys, and says whose key a request carries."""

from __future__ import annotations

import hmac
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.people import People
from sayso.accounts.schema import (
    MAX_KEY_NAME_CHARS,
    Account,
    AccountRules,
    KeyInfo,
    NewKey,
    NewOwner,
)
from sayso.accounts.sessions import Sessions
from sayso.accounts.tickets import Tickets
from sayso.accounts.uses import KeyUses
from sayso.clock import Clock
from sayso.errors import (
    BadRequestError,
    ConflictError,
    InstallationError,
    NotFoundError,
    UnauthorizedError,
)
from sayso.security.secrets import Secrets
from sayso.store.database import Database
from sayso.store.identifiers import new_api_key, new_id, new_user_id
from sayso.store.tables import KeyRow, UserRow

MAX_KEY_CHARS = 200
MAX_KEYS = 1000
"""Keys one account may have in use."""
MAX_REVOKED = 1000
"""Revoked keys of one account that are remembered; the oldest are forgotten."""

_HINT = "Send `Authorization: Bearer <API key>`; `sayso keys new` makes a key."


class Accounts:
    """The accounts of this installation.

    Attributes:
        rules: what the operator decided about them.
        people: who they are, and how they sign in.
        sessions: the browsers that are signed in.
        tickets: what stands in for a key, for a while.
        uses: when keys were last used.
    """

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Clock,
        rules: AccountRules | None = None,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self.rules = rules or AccountRules()
        self.sessions = Sessions(database, secrets, clock, self.rules)
        self.people = People(database, clock, self.sessions, self.rules)
        self.tickets = Tickets(secrets, clock)
        self.uses = KeyUses(database)

    async def ensure_owner(self) -> NewOwner | None:
        """Make the owner's account if there is none; None when there is one.

        Raises:
            InstallationError: the database's keys were made with another master key.
        """
        now = self._clock.utc()
        async with self._database.write() as session:
            if await session.scalar(select(UserRow.id).limit(1)) is not None:
                await self._refuse_other_master_key(session)
                return None
            user_id = new_user_id()
            session.add(UserRow(id=user_id, created_at=now))
            await session.flush()
            made = self._add_key(session, user_id, "first key", now)
        return NewOwner(user_id, made.api_key)

    async def owner_id(self) -> str:
        """The owner's user id: the oldest account. Raises NotFoundError when there is none."""
        async with self._database.read() as session:
            found = await session.scalar(
                select(UserRow.id).order_by(UserRow.created_at, UserRow.id).limit(1)
            )
        if found is None:
            raise NotFoundError(
                "there is no account yet",
                hint="Start the server once; if one runs, SAYSO_DATA_DIR names its data folder.",
            )
        return found

    async def new_key(self, user_id: str, name: str = "") -> NewKey:
        """Make a key for `user_id`.

        Raises:
            NotFoundError: no such account.
            BadRequestError: the name is too long.
            ConflictError: the account has too many keys.
        """
        if len(name) > MAX_KEY_NAME_CHARS:
            raise BadRequestError(
                f"a key's name has at most {MAX_KEY_NAME_CHARS} characters", field="name"
            )
        in_use = (KeyRow.user_id == user_id, KeyRow.revoked_at.is_(None))
        async with self._database.write() as session:
            if await session.get(UserRow, user_id) is None:
                raise NotFoundError(f"there is no account {user_id!r}")
            if (await session.scalar(select(func.count()).where(*in_use)) or 0) >= MAX_KEYS:
                raise ConflictError(f"the account has {MAX_KEYS} keys; revoke one first")
            await self._forget_revoked(session, user_id)
            return self._add_key(session, user_id, name, self._clock.utc())

    async def keys(self, user_id: str) -> tuple[KeyInfo, ...]:
        """All keys of `user_id`, revoked ones included, oldest first."""
        query = select(KeyRow).where(KeyRow.user_id == user_id)
        async with self._database.read() as session:
            rows = (await session.scalars(query.order_by(KeyRow.created_at, KeyRow.id))).all()
        return tuple(
            KeyInfo(
                row.id,
                row.name,
                row.tail,
                row.created_at,
                row.revoked_at,
                self.uses.last(row.id, row.last_used_at),
            )
            for row in rows
        )

    async def revoke_key(self, user_id: str, key_id: str) -> None:
        """Make a key worthless from now on. Raises NotFoundError."""
        async with self._database.write() as session:
            row = await session.get(KeyRow, key_id)
            if row is None or row.user_id != user_id:
                raise NotFoundError(
                    f"there is no key {key_id!r}", hint="`sayso keys list` and /api/keys show them."
                )
            row.revoked_at = row.revoked_at or self._clock.utc()

    async def authenticate(self, authorization: str | None, user_id: str | None) -> Account:
        """Whose request carries these two headers (contract §1.2).

        `Bearer <key>` or the bare key; a missing user id passes, for the key says who it is.

        Raises:
            UnauthorizedError: no key, an unknown or revoked one, or somebody else's user id.
        """
        key = _bare_key(authorization)
        if not key:
            raise UnauthorizedError("the request has no API key", hint=_HINT)
        account = await self.authenticate_key(key)
        if account is None:
            raise UnauthorizedError("the API key is unknown or revoked", hint=_HINT)
        if user_id and not _same(user_id.strip(), account.user_id):
            raise UnauthorizedError(
                "the X-User-Id does not belong to this API key",
                hint="Send the user id shown beside the key, or leave the header away.",
            )
        return account

    async def authenticate_key(self, key: str) -> Account | None:
        """Whose key this is; None when it is unknown or revoked."""
        if not 0 < len(key) <= MAX_KEY_CHARS:
            return None
        query = select(KeyRow).where(KeyRow.hash == self._secrets.fingerprint(key))
        async with self._database.read() as session:
            row = await session.scalar(query.where(KeyRow.revoked_at.is_(None)))
        if row is None:
            return None
        self.uses.note(row.id, self._clock.utc())
        return Account(row.user_id, row.id)

    async def is_in_use(self, key_id: str) -> bool:
        """Whether there is such a key, and it was not revoked."""
        async with self._database.read() as session:
            row = await session.get(KeyRow, key_id)
        return row is not None and row.revoked_at is None

    async def _forget_revoked(self, session: AsyncSession, user_id: str) -> None:
        gone = (
            select(KeyRow.id)
            .where(KeyRow.user_id == user_id, KeyRow.revoked_at.is_not(None))
            .order_by(KeyRow.revoked_at.desc(), KeyRow.id)
            .offset(MAX_REVOKED)
        )
        if surplus := (await session.scalars(gone)).all():
            await session.execute(delete(KeyRow).where(KeyRow.id.in_(surplus)))

    def _add_key(self, session: AsyncSession, user_id: str, name: str, now: datetime) -> NewKey:
        key = new_api_key()
        row = KeyRow(
            id=new_id(),
            user_id=user_id,
            hash=self._secrets.fingerprint(key),
            name=name,
            tail=key[-4:],
            created_at=now,
        )
        session.add(row)
        return NewKey(row.id, SecretStr(key), name, now)

    async def _refuse_other_master_key(self, session: AsyncSession) -> None:
        """Say so at the start, rather than answer 401 to everybody."""
        some = (await session.scalars(select(KeyRow.hash))).all()
        if some and not any(known.startswith(f"{self._secrets.key_id}.") for known in some):
            raise InstallationError(
                "the master key is not the one this database was made with",
                hint="Put back the master.key (or SAYSO_MASTER_KEY) that belongs to it.",
            )


def _bare_key(authorization: str | None) -> str:
    """The key in an `Authorization` header, with or without the word Bearer before it."""
    words = (authorization or "").split()
    if words and words[0].lower() == "bearer":
        words = words[1:]
    return words[0] if len(words) == 1 else ""


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode())
