from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.talk.endpointing import (
    FORGETS,
    LONGEST_PAUSE_S,
    MARGIN_S,
    PRESETS,
    SOUNDS_DONE,
    SOUNDS_OPEN,
    Policy,
    Preset,
    forget_extra_s,
    learn_extra_s,
    patience_s,
)

POLICY = Policy()


@pytest.mark.parametrize(
    ("words", "sounds_done", "expected_s"),
    [
        ("Book a table.", None, POLICY.patience_s),
        ("Book a table.", 0.97, POLICY.sure_s),
        ("Book a table.", 0.5, POLICY.patience_s),
        ("Book a table.", 0.05, POLICY.hesitant_s),
        ("That's all.", 0.05, POLICY.patience_s),
        ("617 555 0192", 0.01, POLICY.patience_s),
        ("Book a table for", None, POLICY.unfinished_s),
        ("Book a table for", 0.99, POLICY.unfinished_s),
        ("My number is 617", 0.99, POLICY.dictating_s),
        ("", None, POLICY.patience_s),
        ("", 0.01, POLICY.hesitant_s),
    ],
)
def test_words_and_sound_together_say_how_long(
    words: str, sounds_done: float | None, expected_s: float
) -> None:
    assert patience_s(words, sounds_done, POLICY) == expected_s


def test_a_client_that_asks_for_more_patience_gets_it() -> None:
    patient = Policy(least_s=5.0)
    assert patience_s("and", None, patient) == 5.0
    assert patience_s("Book a table.", 0.99, patient, extra_s=0.3) == 5.0


def test_what_a_caller_taught_is_added() -> None:
    assert patience_s("Book a table.", 0.99, POLICY, 0.3) == pytest.approx(POLICY.sure_s + 0.3)


def test_every_preset_waits_longer_the_less_is_over() -> None:
    for policy in PRESETS.values():
        steps = [policy.sure_s, policy.patience_s, policy.hesitant_s, policy.unfinished_s]
        steps.append(policy.dictating_s)
        assert steps == sorted(steps)


def test_the_presets_are_in_order() -> None:
    eager, normal, patient = (astuple(PRESETS[name])[:5] for name in Preset)
    assert all(a < b < c for a, b, c in zip(eager, normal, patient, strict=True))
    assert PRESETS[Preset.NORMAL] == Policy()


class TestLearning:
    def test_the_next_pause_like_it_is_outlasted(self) -> None:
        extra_s = learn_extra_s(0.0, 0.8, POLICY, cut_off=True)
        assert POLICY.patience_s + extra_s == pytest.approx(0.8 + MARGIN_S)

    def test_a_pause_that_did_no_harm_counts_less(self) -> None:
        gentle = learn_extra_s(0.0, 0.8, POLICY, cut_off=False)
        assert 0 < gentle < learn_extra_s(0.0, 0.8, POLICY, cut_off=True)

    def test_it_is_bounded(self) -> None:
        assert learn_extra_s(0.0, 1.4, POLICY, cut_off=True) == POLICY.most_extra_s

    def test_a_new_thought_teaches_nothing(self) -> None:
        assert learn_extra_s(0.1, LONGEST_PAUSE_S + 0.1, POLICY, cut_off=True) == 0.1

    def test_a_short_pause_takes_nothing_back(self) -> None:
        assert learn_extra_s(0.3, 0.2, POLICY, cut_off=False) == 0.3

    def test_it_is_forgotten_turn_by_turn(self) -> None:
        assert forget_extra_s(0.5) == pytest.approx(0.5 * FORGETS)


@given(
    words=st.text(max_size=30),
    sound=st.none() | st.floats(0, 1),
    preset=st.sampled_from(Preset),
    gaps_s=st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=10),
)
def test_patience_is_always_within_its_bounds(
    words: str,
    sound: float | None,
    preset: Preset,
    gaps_s: list[tuple[float, bool]],
) -> None:
    policy, extra_s = PRESETS[preset], 0.0
    for gap_s, cut_off in gaps_s:
        extra_s = learn_extra_s(extra_s, gap_s, policy, cut_off=cut_off)
    assert 0 <= extra_s <= policy.most_extra_s
    wait_s = patience_s(words, sound, policy, extra_s)
    assert policy.sure_s <= wait_s <= policy.dictating_s + policy.most_extra_s


@given(words=st.text(max_size=30), lower=st.floats(0, 1), higher=st.floats(0, 1))
def test_a_likelier_ending_never_waits_longer(words: str, lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))
    assert patience_s(words, higher, POLICY) <= patience_s(words, lower, POLICY)
    assert 0 < SOUNDS_OPEN < SOUNDS_DONE < 1
