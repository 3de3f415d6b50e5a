"""Who is signed in, in which browser: sessions, and the links that begin one.

A session is a random cookie, a link a random text behind a `#`; of both only keyed hashes are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import MAX_TOKEN_CHARS, Account, AccountRules, Browser
from sayso.clock import Clock
from sayso.errors import UnauthorizedError
from sayso.security.secrets import Secrets
from sayso.store.database import Database
from sayso.store.identifiers import new_id, new_link_token, new_session_token
from sayso.store.tables import LinkRow, SessionRow

RENEW_AFTER: Final = timedelta(hours=1)
"""How much of a session must have passed before its end is written anew."""
FRESH: Final = timedelta(hours=1)
"""How long after signing in by link the password may be set without the old one."""
KEPT_LINKS: Final = timedelta(days=7)
"""How long a link is remembered after its time, to say what became of it."""
MAX_SESSIONS: Final = 100
"""Browsers one account may be signed in with; the oldest one is signed out for the next."""
MAX_LINKS: Final = 100
"""Links of one account that are remembered."""

ANOTHER_LINK: Final = "`sayso link`, typed where the server runs, prints a new one."


class Sessions:
    """The browsers that are signed in."""

    def __init__(
        self, database: Database, secrets: Secrets, clock: Clock, rules: AccountRules
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._rules = rules

    async def new_link(self, user_id: str) -> SecretStr:
        """The token of a link that signs `user_id` in, once, for a while."""
        now = self._clock.utc()
        token = new_link_token()
        async with self._database.write() as session:
            await session.execute(delete(LinkRow).where(LinkRow.expires_at < now - KEPT_LINKS))
            await _keep_newest(session, LinkRow, LinkRow.hash, user_id, MAX_LINKS - 1)
            session.add(
                LinkRow(
                    hash=self._secrets.fingerprint(token),
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + self._rules.link,
                )
            )
        return SecretStr(token)

    async def begin_by_link(self, token: SecretStr) -> Browser:
        """Sign a browser in with a link, which is worthless from now on.

        Raises:
            UnauthorizedError: the link is unknown, used or too old.
        """
        now = self._clock.utc()
        async with self._database.write() as session:
            row = await session.get(
                LinkRow, self._secrets.fingerprint(token.get_secret_value()), with_for_update=True
            )
            if row is None:
                raise UnauthorizedError("this sign-in link is not known here", hint=ANOTHER_LINK)
            if row.used_at is not None:
                raise UnauthorizedError("this sign-in link was used already", hint=ANOTHER_LINK)
            if row.expires_at <= now:
                raise UnauthorizedError("this sign-in link is too old", hint=ANOTHER_LINK)
            row.used_at = now
            return await self._begin(session, row.user_id, now, by_link=True)

    async def begin(self, user_id: str) -> Browser:
        """Sign a browser in whose person proved to be `user_id`."""
        async with self._database.write() as session:
            return await self._begin(session, user_id, self._clock.utc(), by_link=False)

    async def find(self, token: str) -> Account | None:
        """Whose browser sends this cookie; None for nobody's. Its time begins anew."""
        if not 0 < len(token) <= MAX_TOKEN_CHARS:
            return None
        now = self._clock.utc()
        query = select(SessionRow).where(SessionRow.hash == self._secrets.fingerprint(token))
        async with self._database.read() as session:
            row = await session.scalar(query)
        if row is None or row.expires_at <= now:
            return None
        if now + self._rules.session - row.expires_at >= RENEW_AFTER:
            await self._renew(row.id, now)
        return Account(row.user_id, "", row.id)

    async def end(self, token: str) -> None:
        """Sign a browser out; one that is not signed in stays so."""
        if 0 < len(token) <= MAX_TOKEN_CHARS:
            known = self._secrets.fingerprint(token)
            async with self._database.write() as session:
                await session.execute(delete(SessionRow).where(SessionRow.hash == known))

    async def _renew(self, session_id: str, now: datetime) -> None:
        async with self._database.write() as session:
            row = await session.get(SessionRow, session_id)
            if row is not None:  # not signed out meanwhile
                row.expires_at = now + self._rules.session

    async def _begin(
        self, session: AsyncSession, user_id: str, now: datetime, *, by_link: bool
    ) -> Browser:
        token = new_session_token()
        await session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
        await _keep_newest(session, SessionRow, SessionRow.id, user_id, MAX_SESSIONS - 1)
        row = SessionRow(
            id=new_id(),
            user_id=user_id,
            hash=self._secrets.fingerprint(token),
            created_at=now,
            expires_at=now + self._rules.session,
            by_link=by_link,
        )
        session.add(row)
        return Browser(user_id, row.id, SecretStr(token))


async def end_others(session: AsyncSession, account: Account) -> None:
    """Sign out all other browsers of `account`, and void its links: its password changed."""
    others = SessionRow.user_id == account.user_id, SessionRow.id != account.session_id
    await session.execute(delete(SessionRow).where(*others))
    await session.execute(delete(LinkRow).where(LinkRow.user_id == account.user_id))


async def is_fresh(session: AsyncSession, account: Account, now: datetime) -> bool:
    """Whether this browser signed in by link a moment ago."""
    row = await session.get(SessionRow, account.session_id)
    return row is not None and row.by_link and now < row.created_at + FRESH


async def _keep_newest(
    session: AsyncSession,
    table: type[Any],
    key: Any,  # noqa: ANN401 a column, whichever
    user_id: str,
    most: int,
) -> None:
    """Delete all rows of `user_id` but the newest `most`."""
    newest_first = (
        select(key).where(table.user_id == user_id).order_by(table.created_at.desc(), key)
    )
    surplus = (await session.scalars(newest_first.offset(most))).all()
    if surplus:
        await session.execute(delete(table).where(key.in_(surplus)))
