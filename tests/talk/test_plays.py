"""Golden conversations: each file in plays/ is one, an event a line with the commands it gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sayso.talk import events
from sayso.talk.endpointing import Policy
from sayso.talk.events import Author, Command, EndedBy, Event
from sayso.talk.state import Turn
from sayso.talk.turn import step

PLAYS = sorted((Path(__file__).parent / "plays").glob("*.jsonl"))

EVENTS: dict[str, Callable[[float, dict[str, Any]], Event]] = {
    "opened": lambda at, line: events.Opened(at, line["greeting"]),
    "speech_started": lambda at, _: events.SpeechStarted(at),
    "speech_cut": lambda at, _: events.SpeechCut(at),
    "speech_stopped": lambda at, line: events.SpeechStopped(at, line["since"]),
    "heard": lambda at, line: events.Heard(
        at, line["text"], line.get("spoken"), False, line.get("confidence"), line.get("nod")
    ),
    "glimpsed": lambda at, line: events.Glimpsed(
        at, line["text"], line.get("spoken"), line.get("confidence")
    ),
    "judged": lambda at, line: events.Judged(at, line["since"], line["done"]),
    "typed": lambda at, line: events.Typed(at, line["text"], Author(line.get("author", "caller"))),
    "reply_started": lambda at, line: events.ReplyStarted(at, line["reply"]),
    "reply_played": lambda at, line: events.ReplyPlayed(
        at,
        line["reply"],
        line.get("asks", False),
        line.get("last", False),
        line.get("transfers", False),
    ),
    "transfer_failed": lambda at, line: events.TransferFailed(at, line["told"]),
    "time_up": lambda at, _: events.TimeUp(at),
    "hung_up": lambda at, line: events.HungUp(at, EndedBy(line["by"])),
    "tick": lambda at, _: events.Tick(at),
}


def spell(command: Command) -> str:
    match command:
        case events.Answer(number, words, notes):
            return f"answer {number}: {words}{' ' if words and notes else ''}" + (
                f"| {notes}" if notes else ""
            )
        case events.Draft(number, words):
            return f"draft {number}: {words}"
        case events.Say(number, line):
            return f"say {number} {line.value}"
        case events.End(by):
            return f"end {by.value}"
        case events.Attend():
            return "attend"
        case _:
            return f"{type(command).__name__.lower()} {command.number}"


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_play(path: Path) -> None:
    title, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert title["play"]
    turn = Turn()
    for line in lines:
        event = EVENTS[line["event"]](line["at"], line)
        turn, commands = step(turn, event, Policy())
        assert [spell(command) for command in commands] == line["then"], line


def test_there_are_plays() -> None:
    assert len(PLAYS) >= 10
