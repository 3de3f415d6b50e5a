"""Passwords are hashed slowly, aside, a few at a time; a missing one takes as long."""

from __future__ import annotations

import asyncio
import threading

import pytest
from pydantic import SecretStr

from sayso.errors import TooManyError
from sayso.security import passwords
from sayso.security.passwords import MAX_WAITING, NOBODYS, Passwords

WORDS = SecretStr("correct horse battery")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_password_matches_its_own_hash_only() -> None:
    kept = Passwords()
    stored = await kept.hash(WORDS)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert WORDS.get_secret_value() not in stored
    assert await kept.matches(stored, WORDS)
    assert not await kept.matches(stored, SecretStr("correct horse batterz"))
    assert stored != await kept.hash(WORDS)


async def test_a_password_is_the_same_on_every_keyboard() -> None:
    kept = Passwords()
    stored = await kept.hash(SecretStr("Zoe\u0308 and friends"))
    assert await kept.matches(stored, SecretStr("Zoë and friends"))


async def test_where_there_is_no_hash_as_much_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    verify = passwords._verify

    def watch(stored: str, password: str) -> bool:
        seen.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", watch)
    kept = Passwords()
    stored = await kept.hash(WORDS)
    assert not await kept.matches(stored, SecretStr("wrong"))
    assert not await kept.matches(None, SecretStr("wrong"))
    assert seen == [stored, NOBODYS]
    assert not passwords._hasher.check_needs_rehash(NOBODYS), "it has other parameters than ours"


async def test_even_whoever_knows_nobodys_password_is_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await Passwords().matches(NOBODYS, SecretStr("a" * 20))
    assert not await Passwords().matches(None, SecretStr("a" * 20))


async def test_a_damaged_hash_matches_nothing() -> None:
    assert not await Passwords().matches("not a hash", WORDS)


async def test_hashes_are_made_one_at_a_time_away_from_the_loop_and_the_queue_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go, at_work, most = threading.Event(), 0, 0

    def slow(_stored: str, _password: str) -> bool:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        go.wait(10)
        at_work -= 1
        return True

    monkeypatch.setattr(passwords, "_verify", slow)
    kept = Passwords()
    waiting = [asyncio.create_task(kept.matches("x", WORDS)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyError, match="too many people"):
        await kept.matches("x", WORDS)
    go.set()
    assert all(await asyncio.gather(*waiting))
    assert most == 1
    assert await kept.matches("x", WORDS)
