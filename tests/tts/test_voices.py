from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.tts import Voice
from sayso.tts.hibari import SHAPES
from sayso.tts.voices import choose_voice, guess_gender, name_of

VOICES: Sequence[Voice] = [voice for voice, _ in SHAPES.values()]
PLAYAI = "s3://voice-cloning-zero-shot/d9ff78ba-d016-47f6-b0ef-dd630f59414e/{}/manifest.json"


@pytest.mark.parametrize("wanted", [None, "", "  "])
def test_who_wants_nothing_gets_the_default(wanted: str | None) -> None:
    assert choose_voice(wanted, VOICES) is VOICES[0]


@pytest.mark.parametrize("wanted", ["baritone", "Baritone", " BARITONE "])
def test_an_id_or_a_name_is_found(wanted: str) -> None:
    assert choose_voice(wanted, VOICES).id == "baritone"


@pytest.mark.parametrize(
    ("name", "gender"),
    [
        ("female-cs", "female"),
        ("male-cs", "male"),
        ("original", None),
        ("en_US_man_2", "male"),
        ("young-woman", "female"),
        ("romania", None),
    ],
)
def test_a_manifests_name_hints_at_a_gender(name: str, gender: str | None) -> None:
    assert guess_gender(PLAYAI.format(name)) == gender
    if gender:
        assert choose_voice(PLAYAI.format(name), VOICES).gender == gender


def test_a_manifest_is_known_by_its_name() -> None:
    assert name_of(PLAYAI.format("female-cs")) == "female-cs"
    assert name_of("s3://bucket/id/a/b/manifest.json") == "a/b"
    assert name_of("https://example.com/voice.json") == "https://example.com/voice.json"


def test_a_gender_nobody_has_is_no_obstacle() -> None:
    only = [voice for voice in VOICES if voice.gender == "female"]
    assert choose_voice("some man", only) in only


def test_the_choice_is_the_same_on_every_machine() -> None:
    """Pinned: an agent's voice does not change with a release, a process, or a day."""
    url = "s3://voice-cloning-zero-shot/baf1ef41-36b6-428c-9bdf-50ba54682bd8/original/manifest.json"
    assert choose_voice(url, VOICES).id == "heart"


@given(st.text())
def test_any_wish_is_granted_and_always_alike(wanted: str) -> None:
    voice = choose_voice(wanted, VOICES)
    assert voice in VOICES
    assert choose_voice(wanted, VOICES) is voice


def test_an_engine_without_voices_is_a_mistake_in_the_program() -> None:
    with pytest.raises(ValueError, match="at least one voice"):
        choose_voice("any", [])


def test_many_wishes_use_many_voices() -> None:
    chosen = {choose_voice(PLAYAI.format(f"original-{n}"), VOICES).id for n in range(100)}
    assert chosen == {voice.id for voice in VOICES}
