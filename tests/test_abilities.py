"""Which languages an agent may go over to, and what it may do without anybody's server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sayso.abilities import list_allowed, list_tongues, phrases_of
from sayso.agents.agent import Agent
from sayso.agents.destinations import StoredDestination
from sayso.agents.options import BuiltInAction
from sayso.audio.formats import Samples
from sayso.llm import Message
from sayso.stt import understands
from sayso.stt.moonshine import Moonshine
from sayso.talk.actions import Action
from sayso.talk.agent import Prompt
from sayso.talk.history import Line
from sayso.talk.phrases import PHRASES, speaks
from sayso.talk.transfer import Destination
from sayso.tts import Voice

AGENT = Agent(
    id="a",
    owner_id="u",
    display_name="A",
    description="",
    greeting=None,
    prompt=None,
    critical_knowledge=None,
    answer_only_from_critical_knowledge=False,
    visibility="public",
    language="english",
    voice="anna",
    voice_speed=None,
    tts_model="PlayDialog",
    actions=(),
    llm=None,
    built_in_actions=("switch-language", "end-call"),
)
ANNA = Voice("anna", "Anna", "female", "de-DE", "")
JOHN = Voice("john", "John", "male", "en-US", "")
ANY = Voice("all", "All", "neutral", "any", "")


class Ears:
    """Understands whatever it is asked for."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def transcribe(self, samples: Samples, language: str) -> str:
        return language


class EnglishEars(Ears):
    languages = frozenset({"english"})


def prompt(language: str) -> Prompt:
    def tell(_: Sequence[Line]) -> list[Message]:
        return [Message("system", language)]

    return tell


def test_a_language_needs_ears_and_a_voice() -> None:
    tongues = list_tongues(AGENT, Ears(), [JOHN, ANNA], prompt)
    assert {name: tongue.voice for name, tongue in tongues.items()} == {
        "english": "john",
        "german": "anna",
    }
    assert tongues["german"].phrases == PHRASES["german"]
    assert tongues["german"].prompt([]) == [Message("system", "german")]
    assert list(list_tongues(AGENT, EnglishEars(), [JOHN, ANNA], prompt)) == ["english"]
    assert list(list_tongues(AGENT, Ears(), [ANY], prompt)) != []
    assert set(list_tongues(AGENT, Ears(), [ANY], prompt)) == set(PHRASES)


def test_the_bundled_ears_know_one_language() -> None:
    assert understands(Ears(), "thai")
    assert "english" in Moonshine.languages
    assert "german" not in Moonshine.languages


def test_who_may_not_has_none() -> None:
    actions: tuple[BuiltInAction, ...] = ("end-call",)
    assert list_tongues(replace(AGENT, built_in_actions=actions), Ears(), [ANY], prompt) == {}


def test_what_is_allowed() -> None:
    allowed = list_allowed(AGENT, ["english", "german"])
    assert allowed.actions == (Action.SWITCH_LANGUAGE, Action.END_CALL)
    assert (allowed.time_zone, allowed.languages) == ("UTC", ("english", "german"))
    assert list_allowed(replace(AGENT, time_zone="Europe/Vienna")).time_zone == "Europe/Vienna"


def test_who_has_somebody_to_hand_callers_on_to_may() -> None:
    desk = StoredDestination("Desk", "+15550100123", "they want a table", None)
    allowed = list_allowed(replace(AGENT, transfer_destinations=(desk,)))
    assert allowed.actions[-1] is Action.TRANSFER
    assert allowed.destinations == (Destination("Desk", "+15550100123", "they want a table"),)


def test_who_wants_no_goodbyes_says_none() -> None:
    silent = phrases_of(replace(AGENT, end_call_message=""), "german", "any")
    assert (silent.goodbye, silent.time_is_up, silent.nobody_there) == ("", "", "")
    assert phrases_of(AGENT, "german", "any") == PHRASES["german"]


def test_which_voice_speaks_what() -> None:
    assert speaks("de-AT", "german")
    assert speaks("german", "german")
    assert speaks("any", "thai")
    assert not speaks("en-US", "german")
    assert not speaks("nl", "german")
