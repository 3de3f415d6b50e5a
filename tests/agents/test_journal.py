from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from sayso.agents.issues import LlmIssue
from sayso.agents.journal import MAX_ID_CHARS, log_save
from sayso.agents.schema import AgentChanges
from sayso.errors import BadRequestError, NotFoundError

BODY = AgentChanges.model_validate(
    {
        "greeting": "canary greeting",
        "llm": {"baseURL": "https://canary.example/v1", "apiKey": "sk-canary"},
        "canaryKey": 1,
    }
)
SLOW = LlmIssue("late.first", "canary", "canary", "warning", "canary")


def test_a_save_is_one_line_of_names_and_codes() -> None:
    with capture_logs() as logs, log_save("user", "desk-1", BODY) as noticed:
        noticed.append(SLOW)
    assert logs == [
        {
            "event": "agent_saved",
            "log_level": "info",
            "agent_id": "desk-1",
            "account_id": "user",
            "fields": ["greeting", "llm"],
            "findings": ["late.first"],
        }
    ]
    assert "canary" not in str(logs)


def test_a_refusal_is_one_line_and_goes_on() -> None:
    refusal = BadRequestError("canary", details=({"code": "http.html", "message": "canary"}, {}))
    with (
        capture_logs() as logs,
        pytest.raises(BadRequestError),
        log_save("user", "x" * 500, BODY),
    ):
        raise refusal
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("agent_refused", "warning")
    assert (line["error_id"], line["findings"]) == ("BAD_REQUEST", ["http.html"])
    assert line["agent_id"] == "x" * MAX_ID_CHARS
    assert "canary" not in str(logs)


def test_whoever_asks_for_no_agent_is_in_the_log_too() -> None:
    with capture_logs() as logs, pytest.raises(NotFoundError), log_save("user", "x", BODY):
        raise NotFoundError("there is no such agent")
    assert [line["error_id"] for line in logs] == ["NOT_FOUND"]


def test_what_breaks_is_for_others_to_log() -> None:
    with capture_logs() as logs, pytest.raises(RuntimeError), log_save("user", "x", BODY):
        raise RuntimeError("odd")
    assert logs == []
