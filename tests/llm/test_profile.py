from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Endpoint
from sayso.llm.profile import (
    STRANGER,
    Limit,
    MemoryProfiles,
    Profile,
    ProfileKey,
    dump_profile,
    identify,
    key_of,
    merge,
    read_profile,
)

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


async def test_what_became_known_meanwhile_stays() -> None:
    profiles = MemoryProfiles()
    checked = replace(STRANGER, tools=True)
    await profiles.put(A, KIND, STRANGER)
    assert profiles.get(A) == KIND, "there was nothing to keep"
    await profiles.put(A, checked, STRANGER)
    assert profiles.get(A) == replace(checked, system=False)
    await profiles.put(A, checked)
    assert profiles.get(A) == checked


BEFORE = replace(STRANGER, limit=Limit.NONE, refused=frozenset({"max_tokens", "seed"}))
LEARNED = replace(STRANGER, first_token_ms=8.0, refused=frozenset({"seed"}))


def test_a_check_forgets_what_is_no_longer_so() -> None:
    assert merge(LEARNED, BEFORE, BEFORE) == LEARNED


def test_a_conversation_adds_to_what_is_refused() -> None:
    now = BEFORE.refusing("top_p")
    assert merge(LEARNED, BEFORE, now) == replace(LEARNED, refused=frozenset({"seed", "top_p"}))
    fewer = replace(BEFORE, refused=frozenset({"max_tokens"}))
    assert merge(LEARNED, BEFORE, fewer).refused == frozenset()


some = st.builds(
    Profile,
    limit=st.sampled_from(Limit),
    system=st.booleans(),
    tools=st.none() | st.booleans(),
    refused=st.frozensets(st.sampled_from("abcd")),
)


@given(some, some, some)
def test_each_change_survives_whoever_comes_first(
    before: Profile, one: Profile, two: Profile
) -> None:
    assert merge(one, before, before) == one
    assert merge(before, before, two) == two
    assert merge(one, before, one) == one
    merged = merge(one, before, two)
    for name in ("limit", "system", "tools"):
        kept = one if getattr(two, name) == getattr(before, name) else two
        assert getattr(merged, name) == getattr(kept, name)
    assert two.refused - before.refused <= merged.refused <= two.refused | one.refused


# Documents ----------------------------------------------------------------------------------


@given(
    st.builds(
        Profile,
        refused=st.frozensets(st.text(max_size=5), max_size=3),
        tools=st.none() | st.booleans(),
        first_token_ms=st.none() | st.floats(0, 1e6),
    )
)
def test_any_profile_survives_its_document(profile: Profile) -> None:
    assert read_profile(dump_profile(profile)) == profile


def test_a_document_of_another_version_is_read_as_far_as_it_goes() -> None:
    assert read_profile({"system": False, "gone": 1}) == Profile(system=False)


def test_an_id_holds_no_secret() -> None:
    key = ProfileKey("https://llm.example.com/v1?key=canary", "m")
    assert "canary" not in identify(key)
    assert identify(key) == identify(key)
    assert len({identify(key), identify(replace(key, model="n")), identify(A)}) == 3
