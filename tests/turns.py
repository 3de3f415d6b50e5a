"""The turn core, an event at a time: what tests of its rules share."""

from __future__ import annotations

from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Command,
    Event,
    Heard,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Tick,
)
from sayso.talk.state import Turn
from sayso.talk.turn import step

POLICY = Policy(speculates=False)
"""Most rules are easier to read without drafts; those of drafts have them."""


def run(
    *events: Event, turn: Turn | None = None, policy: Policy = POLICY
) -> tuple[Turn, list[Command]]:
    turn = turn or Turn()
    said: list[Command] = []
    for event in events:
        turn, commands = step(turn, event, policy)
        said += commands
    return turn, said


def asked(words: str = "What time is it?") -> tuple[Event, ...]:
    """Everything up to the answer command of one spoken question."""
    return (
        SpeechStarted(1.0),
        SpeechStopped(2.2, since_s=2.0),
        Heard(2.3, words),
        Tick(2.5),
    )


SPEAKING = run(*asked(), ReplyStarted(2.8, 1))[0]
