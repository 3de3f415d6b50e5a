"""The record of a turn as steps in time, and as facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.observe.waterfall import (
    CODES,
    Call,
    Step,
    read_calls,
    read_end_s,
    read_facts,
    read_steps,
)

DRAFTED = {
    "transcript_s": 0.27,
    "llm_first_token_s": 0.3,
    "first_clause_s": 0.33,
    "tts_first_sound_s": 0.36,
    "endpoint_s": 0.45,
    "first_sound_sent_s": 0.46,
    "text_complete_s": 0.5,
    "played_s": 2.6,
}


def test_a_turn_is_a_waterfall_in_the_order_of_its_marks() -> None:
    assert read_steps(DRAFTED) == [
        Step("transcript", 0.0, 0.27),
        Step("llm_first_token", 0.27, 0.3),
        Step("first_clause", 0.3, 0.33),
        Step("tts_first_sound", 0.33, 0.36),
        Step("endpoint", 0.36, 0.45),
        Step("first_sound_sent", 0.45, 0.46),
        Step("text_complete", 0.46, 0.5),
        Step("heard", 0.46, 2.6),
    ]
    assert read_end_s(DRAFTED) == 2.6


def test_an_interrupted_turn_was_heard_until_it_was_cut_off() -> None:
    steps = read_steps({"first_sound_sent_s": 0.5, "interrupted": "true", "interrupted_s": 1.25})
    assert steps[-1] == Step("heard", 0.5, 1.25)


def test_how_much_sound_there_was_is_no_step() -> None:
    timings = {"first_sound_sent_s": 0.5, "interrupted_s": 1.0, "sound_made_s": 7.0}
    assert read_end_s(timings) == 1.0
    assert [step.name for step in read_steps(timings)] == ["first_sound_sent", "heard"]


def test_a_mark_nobody_knows_is_a_step() -> None:
    steps = read_steps({"transcript_s": 0.2, "retrieval_s": 0.25, "played_s": 0.3})
    assert steps == [Step("transcript", 0.0, 0.2), Step("retrieval", 0.2, 0.25)]


@pytest.mark.parametrize(
    ("timings", "end_s"),
    [({}, 0.0), ({"endpoint_s": 0.5, "transcript_s": 0.3}, 0.5), ({"transcript_s": -4.0}, 0.0)],
)
def test_a_record_without_an_end_ends_with_its_last_mark(
    timings: dict[str, float | str | None], end_s: float
) -> None:
    assert read_end_s(timings) == end_s


def test_facts_are_numbers_and_codes_and_nothing_else() -> None:
    facts = read_facts(
        {
            "endpoint_s": 0.45,
            "drafts_dropped": 2,
            "sound_made_s": 9.5,
            "line": "greeting",
            "failure": "http.html",
            "blame": "llm",
            "mishaps": "timeout.first_token (llm)",
            "interrupted": "true",
            "asked": "My name is Ada.",
            "none": None,
        }
    )
    assert facts == {
        "interrupted": True,
        "drafts_dropped": 2,
        "sound_made_s": 9.5,
        "line": "greeting",
        "failure": "http.html",
        "blame": "llm",
        "mishaps": "timeout.first_token (llm)",
    }
    assert read_facts({}) == {"interrupted": False}


RECORDS = st.dictionaries(
    st.sampled_from([*DRAFTED, "retrieval_s", "S_s", "_s", "failure", "note", "drafts_dropped"]),
    st.one_of(st.floats(-1e4, 1e4), st.integers(-5, 9), st.text(max_size=5), st.none()),
)


@given(RECORDS)
def test_every_step_lies_within_its_turn(timings: dict[str, float | str | None]) -> None:
    end_s = read_end_s(timings)
    assert end_s >= 0
    for step in read_steps(timings):
        assert 0 <= step.begins_s <= step.ends_s <= end_s
    assert {key for key, value in read_facts(timings).items() if isinstance(value, str)} <= CODES


def test_calls_of_functions_are_steps_without_what_was_said() -> None:
    rows = [
        {"name": "book", "arguments": '{"who": "Ada"}', "began_s": -0.1, "ended_s": 0.8},
        {"name": "look", "finding": "call.timeout", "began_s": 0.5, "ended_s": 0.4},
        {"name": "odd", "began_s": None},
    ]
    assert read_calls({"calls": rows}) == [
        Call(Step("call", 0.0, 0.8), "book"),
        Call(Step("call", 0.5, 0.5), "look", "call.timeout"),
    ]
    assert read_calls({}) == read_calls({"calls": "x"}) == []
    assert "calls" not in read_facts({"calls": rows})
