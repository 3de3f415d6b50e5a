from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sayso.agents.spoken import LONGEST_IDLE_S, MessagePlan, keep_words


@pytest.mark.parametrize(
    ("text", "kept"),
    [(" Bye. ", "Bye."), ("7", "7"), ("再见", "再见"), ("", ""), (" … ", ""), ("***", "")],
)
def test_what_has_no_word_in_it_is_nothing(text: str, kept: str) -> None:
    assert keep_words(text) == kept


@pytest.mark.parametrize("wait_s", [None, 0, 1, 1.5, LONGEST_IDLE_S])
def test_waits_that_are_taken(wait_s: float | None) -> None:
    plan = MessagePlan.model_validate({"idleTimeoutSeconds": wait_s})
    assert plan.idle_timeout_seconds == wait_s


@pytest.mark.parametrize(
    "wrong",
    [
        {"idleTimeoutSeconds": 0.5},
        {"idleTimeoutSeconds": -1},
        {"idleTimeoutSeconds": LONGEST_IDLE_S + 1},
        {"idleMessages": ["Hello?", "?"]},
        {"idleMessages": ["x" * 251]},
        {"idleMessages": ["Hello?"] * 11},
        {"idleMessageMaxSpokenCount": 11},
        {"idleMessage": "Hello?"},
    ],
)
def test_what_cannot_be_said_or_waited_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MessagePlan.model_validate(wrong)
