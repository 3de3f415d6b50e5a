from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sayso.llm.learned import LearnedProfiles
from sayso.llm.profile import (
    STRANGER,
    Answers,
    Limit,
    Profile,
    ProfileKey,
    identify,
    read_profile,
)

KEY = ProfileKey("https://llm.example.com/v1?key=canary", "m")
PROFILE = Profile(
    answers=Answers.JSON,
    limit=Limit.MAX_COMPLETION_TOKENS,
    system=False,
    tools=False,
    refused=frozenset({"top_p", "seed"}),
    first_token_ms=12.5,
    keep_alive=True,
)


class Box:
    """A shelf that is a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    async def load(self) -> Mapping[str, Mapping[str, object]]:
        return self.kept

    async def save(self, id_: str, profile: Mapping[str, object]) -> None:
        self.kept.pop(id_, None)
        self.kept[id_] = dict(profile)


async def test_a_profile_outlives_the_process_and_its_id_holds_no_secret() -> None:
    box = Box()
    profiles = LearnedProfiles(box)
    await profiles.open()
    assert profiles.get(KEY) is STRANGER
    await profiles.put(KEY, PROFILE)
    assert profiles.get(KEY) == PROFILE
    assert profiles.get(ProfileKey(KEY.base_url, "other")) is STRANGER
    again = LearnedProfiles(box)
    await again.open()
    assert again.get(KEY) == PROFILE
    assert "canary" not in repr(box.kept)
    assert list(box.kept) == [identify(KEY)]


async def test_what_did_not_change_is_not_written_again() -> None:
    box = Box()
    profiles = LearnedProfiles(box)
    await profiles.put(KEY, PROFILE)
    box.kept.clear()
    await profiles.put(KEY, PROFILE)
    assert box.kept == {}
    await profiles.put(KEY, STRANGER)
    assert profiles.get(KEY) == STRANGER
    assert len(box.kept) == 1


async def test_what_conversations_learned_during_a_check_survives_it() -> None:
    box = Box()
    profiles = LearnedProfiles(box)
    since = profiles.get(KEY)
    await profiles.put(KEY, replace(STRANGER, system=False).refusing("seed"), since)
    await profiles.put(KEY, replace(STRANGER, tools=True), since)
    known = replace(STRANGER, system=False, tools=True, refused=frozenset({"seed"}))
    assert profiles.get(KEY) == known
    assert read_profile(box.kept[identify(KEY)]) == known


async def test_the_shelf_ends_with_what_memory_has() -> None:
    """The first save is slow; the second one, and a forgotten profile, do not overtake it."""

    class SlowBox(Box):
        go_on = asyncio.Event()

        async def save(self, id_: str, profile: Mapping[str, object]) -> None:
            await self.go_on.wait()
            await super().save(id_, profile)

    box = SlowBox()
    profiles = LearnedProfiles(box)
    first = asyncio.create_task(profiles.put(KEY, PROFILE))
    await asyncio.sleep(0)
    second = asyncio.create_task(profiles.put(KEY, replace(PROFILE, tools=True)))
    await asyncio.sleep(0)
    box.go_on.set()
    await asyncio.gather(first, second)
    assert profiles.get(KEY) == replace(PROFILE, tools=True)
    assert read_profile(box.kept[identify(KEY)]) == profiles.get(KEY)


async def test_the_longest_unused_is_forgotten_first() -> None:
    profiles = LearnedProfiles(Box(), max_profiles=2)
    keys = [ProfileKey("http://h", model) for model in "abc"]
    await profiles.put(keys[0], PROFILE)
    await profiles.put(keys[1], PROFILE)
    profiles.get(keys[0])
    await profiles.put(keys[2], PROFILE)
    assert [profiles.get(key) is STRANGER for key in keys] == [False, True, False]
