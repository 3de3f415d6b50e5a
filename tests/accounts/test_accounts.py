from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from databases import lay_database
from rest_world import World, open_world, read_store
from sayso.accounts import service
from sayso.accounts.service import Accounts
from sayso.errors import (
    BadRequestError,
    ConflictError,
    InstallationError,
    NotFoundError,
    UnauthorizedError,
)
from sayso.store.database import Database

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def test_the_first_run_makes_an_owner_and_shows_its_key_once(
    world: World, tmp_path: Path
) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{28}", world.user_id)
    assert re.fullmatch(r"ak-[0-9a-f]{32}", world.key)
    assert await world.accounts.owner_id() == world.user_id
    async with open_world(tmp_path) as again:
        assert again.user_id == ""


async def test_another_master_key_is_noticed_at_the_start(world: World, tmp_path: Path) -> None:
    (tmp_path / "data" / "master.key").unlink()
    with pytest.raises(InstallationError, match="not the one this database was made with"):
        async with open_world(tmp_path):
            pass


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "{}", "  Bearer   {}  "])
async def test_a_key_is_known_with_and_without_the_word_bearer(world: World, form: str) -> None:
    header = form.format(world.key)
    for user_id in (None, "", world.user_id, f" {world.user_id} "):
        account = await world.accounts.authenticate(header, user_id)
        assert account.user_id == world.user_id


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "ak-0", "Basic dXNlcg==", "Bearer a b", "ü", "x" * 999],
)
async def test_what_is_no_key_of_ours_is_refused(world: World, header: str | None) -> None:
    with pytest.raises(UnauthorizedError, match="API key") as caught:
        await world.accounts.authenticate(header, world.user_id)
    assert caught.value.hint


@pytest.mark.parametrize("user_id", ["somebody-else", "ü"])
async def test_a_wrong_user_id_is_refused(world: World, user_id: str) -> None:
    with pytest.raises(UnauthorizedError, match="X-User-Id"):
        await world.accounts.authenticate(f"Bearer {world.key}", user_id)


async def test_keys_are_made_listed_and_revoked(world: World) -> None:
    made = await world.accounts.new_key(world.user_id, "laptop")
    key = made.api_key.get_secret_value()
    account = await world.accounts.authenticate_key(key)
    assert account is not None
    assert account.key_id == made.id
    first, second = await world.accounts.keys(world.user_id)
    assert (second.name, second.tail, second.revoked_at) == ("laptop", key[-4:], None)

    await world.accounts.revoke_key(world.user_id, made.id)
    await world.accounts.revoke_key(world.user_id, made.id)
    assert await world.accounts.authenticate_key(key) is None
    assert await world.accounts.authenticate_key(world.key) is not None
    assert (await world.accounts.keys(world.user_id))[1].revoked_at is not None
    assert first.revoked_at is None


async def test_keys_of_nobody_and_with_endless_names_are_refused(world: World) -> None:
    with pytest.raises(NotFoundError):
        await world.accounts.new_key("nobody")
    with pytest.raises(BadRequestError, match="name"):
        await world.accounts.new_key(world.user_id, "x" * 251)
    with pytest.raises(NotFoundError):
        await world.accounts.revoke_key(world.user_id, "unknown")
    key = (await world.accounts.keys(world.user_id))[0]
    with pytest.raises(NotFoundError):
        await world.accounts.revoke_key("somebody-else", key.id)


async def test_keys_are_nowhere_in_the_database(world: World) -> None:
    stored = await read_store(world)
    assert world.user_id.encode() in stored
    assert world.key.encode() not in stored
    assert world.key.removeprefix("ak-").encode() not in stored


async def test_limits_count_for_each_key_and_refill(tmp_path: Path) -> None:
    async with open_world(tmp_path, get_agent_per_min=2, get_stats_per_min=0) as world:
        other = (await world.accounts.new_key(world.user_id)).api_key.get_secret_value()
        async with world.client() as client:
            path = "/api/v1/agents/none"
            assert [(await client.get(path)).status_code for _ in range(3)] == [404, 404, 429]
            refused = await client.get(path)
            assert refused.headers["Retry-After"] == "30"
            assert refused.json()["errorId"] == "TOO_MANY_REQUESTS"
            async with world.client(other) as second:
                assert (await second.get(path)).status_code == 404
            world.clock.at_s += 30
            assert (await client.get(path)).status_code == 404
            for _ in range(70):
                assert (await client.get("/api/v1/agent-stats/none")).status_code == 404


async def test_an_account_has_a_most_of_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_KEYS", 2)
    made = await world.accounts.new_key(world.user_id)
    with pytest.raises(ConflictError, match="revoke one"):
        await world.accounts.new_key(world.user_id)
    await world.accounts.revoke_key(world.user_id, made.id)
    await world.accounts.new_key(world.user_id)


async def test_before_the_first_run_there_is_no_owner(world: World, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    lay_database(url)
    database = Database(url)
    with pytest.raises(NotFoundError, match="no account yet"):
        await Accounts(database, world.secrets, world.clock).owner_id()
    await database.close()
