"""What the server makes of its settings, its agents and its clients together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from sayso.app import limits_of
from sayso.config import Settings
from sayso.llm import Message, Mishap, Note, Spare, forget, ignore, no_spare
from sayso.talk.agent import Agent
from sayso.talk.endpointing import PRESETS, Preset


class Silent:
    """A mind without a word."""

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
    ) -> AsyncGenerator[str, None]:
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
