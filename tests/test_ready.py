"""What the server makes of its settings, its agents and its clients together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from sayso.abilities import phrases_of
from sayso.agents.agent import Agent as StoredAgent
from sayso.config import Settings
from sayso.llm import Message, Mishap, Note, Piece, Spare, Tool, forget, ignore, no_spare
from sayso.ready import ladder_of, limits_of
from sayso.talk.agent import Agent
from sayso.talk.endpointing import PRESETS, Preset
from sayso.talk.ladder import Ladder
from sayso.talk.phrases import PHRASES


class Silent:
    """A mind without a word."""

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        for message in messages:
            yield message.content


AGENT = Agent("a", "", "heart", 1.0, "english", Silent(), lambda _: [])


@pytest.mark.parametrize("own", [None, *Preset])
@pytest.mark.parametrize("operators", Preset)
def test_an_agents_patience_wins_over_the_operators(own: Preset | None, operators: Preset) -> None:
    settings = Settings(patience=operators.value)
    policy = limits_of(settings, replace(AGENT, patience=own), None).policy
    assert policy == PRESETS[own or operators]


@pytest.mark.parametrize(
    ("asked_s", "operators_s", "least_s"),
    [(None, None, 0.0), (None, 0.7, 0.7), (5.0, 0.7, 5.0), (0.2, None, 0.2)],
)
def test_what_a_client_asks_for_is_the_least_silence(
    asked_s: float | None, operators_s: float | None, least_s: float
) -> None:
    eager = replace(AGENT, patience=Preset.EAGER)
    policy = limits_of(Settings(patience_s=operators_s), eager, asked_s).policy
    assert (policy.least_s, policy.patience_s) == (least_s, PRESETS[Preset.EAGER].patience_s)


STORED = StoredAgent(
    id="a",
    owner_id="o",
    display_name="A",
    description="",
    greeting=None,
    prompt=None,
    critical_knowledge=None,
    answer_only_from_critical_knowledge=False,
    visibility="public",
    language="german",
    voice="v",
    voice_speed=None,
    tts_model="PlayDialog",
    actions=(),
    llm=None,
)


@pytest.mark.parametrize(
    ("own", "ladder"),
    [
        ({}, Ladder(20.0, 2)),
        ({"idle_timeout_s": 5.0, "idle_messages_max": 1}, Ladder(5.0, 1)),
        ({"idle_timeout_s": 0.0}, Ladder(inf, 2)),
        ({"idle_messages": ("Hello?",), "silence_timeout_s": 30.0}, Ladder(20.0, 2, 30.0)),
        ({"idle_messages": ()}, Ladder(60.0, 0)),
        ({"idle_messages": (), "idle_timeout_s": 0.0, "silence_timeout_s": 9.0}, Ladder(inf, 0, 9)),
    ],
)
def test_an_agent_bears_silence_in_its_own_way(own: dict[str, Any], ladder: Ladder) -> None:
    assert ladder_of(Settings(), replace(STORED, **own)) == ladder


@pytest.mark.parametrize(("message", "silent"), [(None, False), ("Bye.", False), ("", True)])
def test_an_agent_whose_last_words_are_empty_says_none(message: str | None, silent: bool) -> None:
    usual = phrases_of(replace(STORED, end_call_message=message), STORED.language, "any")
    assert (not usual.nobody_there, not usual.time_is_up) == (silent, silent)
    assert usual.not_heard == PHRASES["german"].not_heard
