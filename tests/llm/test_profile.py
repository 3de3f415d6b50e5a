from __future__ import annotations

from dataclasses import replace

from sayso.llm import Endpoint
from sayso.llm.profile import STRANGER, MemoryProfiles, ProfileKey, key_of

A, B, C = (ProfileKey("http://h", model) for model in "abc")
KIND = replace(STRANGER, system=False)


def test_a_key_is_a_base_url_and_a_model() -> None:
    assert key_of(Endpoint("http://h/v1/"), "usual") == ProfileKey("http://h/v1", "usual")
    assert key_of(Endpoint("http://h/v1", model="m"), "usual") == ProfileKey("http://h/v1", "m")


def test_what_is_refused_adds_up() -> None:
    assert STRANGER.refusing("a").refusing("b").refusing("a").refused == {"a", "b"}


async def test_what_was_learned_is_known() -> None:
    profiles = MemoryProfiles()
    assert profiles.get(A) is STRANGER
    await profiles.put(A, KIND)
    assert (profiles.get(A), profiles.get(B)) == (KIND, STRANGER)


async def test_the_longest_unused_is_forgotten() -> None:
    profiles = MemoryProfiles(max_profiles=2)
    await profiles.put(A, KIND)
    await profiles.put(B, KIND)
    profiles.get(A)
    await profiles.put(C, KIND)
    assert [profiles.get(key) for key in (A, B, C)] == [KIND, STRANGER, KIND]
