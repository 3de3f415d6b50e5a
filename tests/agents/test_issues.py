from __future__ import annotations

import json

from sayso.agents.issues import LlmIssue, dump_issues, read_issues, refuse

BROKEN = LlmIssue("http.html", "It answered HTML", "Check the path.", "error", field="llm")
SLOW = LlmIssue("late.first", "The first word took 2.1 s", "Use a faster model.", "warning", "2.1")


def test_they_come_back_from_the_store_as_they_were() -> None:
    assert read_issues(json.loads(json.dumps(dump_issues([BROKEN, SLOW])))) == [BROKEN, SLOW]


def test_a_refusal_says_the_errors_in_sentences_and_carries_everything() -> None:
    told = LlmIssue("auth.refused", "It refused the key!", "Check the path", "error")
    error = refuse("The agent's LLM", [SLOW, BROKEN, told], "llm")
    assert error.message == (
        "The agent's LLM did not pass the check, so nothing was saved. "
        "It answered HTML. It refused the key!"
    )
    assert (error.field, error.hint) == ("llm", "Check the path.")
    assert [one["code"] for one in error.details] == ["late.first", "http.html", "auth.refused"]


def test_a_refusal_without_a_next_step_has_no_hint_to_give() -> None:
    assert refuse("It", [LlmIssue("x", "Odd.", "", "error")], "llm").hint == ""
