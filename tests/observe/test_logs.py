from __future__ import annotations

import json
import logging

import pytest
import structlog

from sayso.observe.logs import BLACKED_OUT, black_out, set_up_logs

pytestmark = pytest.mark.usefixtures("restored_logs")


def test_a_line_is_json_with_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "json")
    with structlog.contextvars.bound_contextvars(conversation="c1"):
        structlog.get_logger("sayso.test").info("conversation_started", turn=2)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "conversation_started"
    assert (line["conversation"], line["turn"], line["level"]) == ("c1", 2, "info")
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "json")
    logging.getLogger("somebody").warning("careful")
    assert json.loads(capsys.readouterr().err)["event"] == "careful"


def test_the_terminal_gets_words(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "console")
    structlog.get_logger("sayso.test").info("ready")
    assert "ready" in capsys.readouterr().err


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("warning", "json")
    structlog.get_logger("sayso.test").info("quiet")
    logging.getLogger("uvicorn.error").info("quiet too")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "leak",
    ["ak-0123456789abcdef0123456789abcdef", "sk-abcdefghijkl", "Bearer something", "bearer\tx"],
)
def test_what_looks_like_a_key_is_blacked_out(leak: str) -> None:
    event = black_out(None, "info", {"event": f"refused {leak}!", "count": 3})
    assert leak not in event["event"]
    assert BLACKED_OUT in event["event"]
    assert event["count"] == 3


@pytest.mark.parametrize("kind", ["ss", "si", "tk"])
def test_what_signs_in_or_stands_for_a_key_is_blacked_out(kind: str) -> None:
    secret = f"{kind}-Zm9v_YmFy-baz.0123456789abcdef"
    told = black_out(None, "info", {"event": f"saw {secret} here"})
    assert told["event"] == f"saw {BLACKED_OUT} here"
