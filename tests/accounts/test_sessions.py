"""Browsers that are signed in, and links that sign in: bounded, kept as hashes, never shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rest_world import World, open_world
from sayso.accounts import sessions
from sayso.accounts.schema import Account
from sayso.errors import UnauthorizedError

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def test_an_account_has_a_most_of_browsers_and_links(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    monkeypatch.setattr(sessions, "MAX_LINKS", 2)
    kept = world.accounts.sessions
    begun = [(await kept.begin(world.user_id)).token.get_secret_value() for _ in range(3)]
    assert [await kept.find(token) is not None for token in begun] == [False, True, True]
    links = [await kept.new_link(world.user_id) for _ in range(3)]
    with pytest.raises(UnauthorizedError, match="not known"):
        await kept.begin_by_link(links[0])
    assert (await kept.begin_by_link(links[1])).user_id == world.user_id


async def test_no_token_of_ours_is_nobodys(world: World) -> None:
    kept = world.accounts.sessions
    for token in ("", "ss-", "x" * 201, "\ud800"):
        assert await kept.find(token) is None
        await kept.end(token)


async def test_a_renewal_does_not_bring_back_who_signed_out(world: World) -> None:
    kept = world.accounts.sessions
    begun = await kept.begin(world.user_id)
    token = begun.token.get_secret_value()
    assert await kept.find(token) == Account(world.user_id, "", begun.session_id)
    await kept.end(token)
    await kept._renew(begun.session_id, world.clock.utc())
    assert await kept.find(token) is None


async def test_a_sign_in_never_shows_its_secret(world: World) -> None:
    begun = await world.accounts.sessions.begin(world.user_id)
    assert begun.token.get_secret_value() not in repr(begun)
    link = await world.accounts.sessions.new_link(world.user_id)
    assert link.get_secret_value() not in repr(link)
