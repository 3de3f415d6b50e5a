"""What a conversation knows of its agent: read once when it opens, and frozen.

A change saved meanwhile counts for conversations that start after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from sayso.functions import NO_TOOLS, Arrival, Toolbox
from sayso.llm import Message, Mind
from sayso.talk.actions import NOTHING, Allowed
from sayso.talk.endpointing import Preset
from sayso.talk.events import FixedLine
from sayso.talk.history import Line
from sayso.talk.ladder import NO_LADDER, Ladder
from sayso.talk.lookup import NOWHERE, Lookup
from sayso.talk.phrases import ENGLISH, Phrases
from sayso.talk.wording import says
from sayso.tts.spoken import Reading

Prompt: TypeAlias = Callable[[Sequence[Line]], Sequence[Message]]
"""What an LLM is told when the conversation stands at these lines."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """An agent's voice, usual sentences and prompt in one language."""

    voice: str
    phrases: Phrases
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent, ready to talk.

    Attributes:
        id: the agent's id.
        greeting: the first thing it says; "" for nothing.
        voice: the id of a voice of the TTS engine.
        speed: of its speech, a factor from 0.5 to 1.5.
        language: the contract's name of a language (`english`).
        llm: what answers for it.
        prompt: what the LLM is told when the conversation stands at these lines.
        failure_message: what it says when nobody could answer; "" for the usual sentence.
        reading: how much its text is put into words before it is spoken.
        ladder: how it bears silence.
        phrases: the usual sentences, for what nobody has written words for.
        nudges: what it says when nobody speaks, in turn; none for the usual sentences.
        goodbye: what it says before it ends the conversation; "" for the usual sentences.
        end_phrases: an answer that says one of them is its last.
        longest_s: how long a conversation with it may take; None for the server's limit.
        patience: how soon a pause of the caller is an ending; None for the server's setting.
        interruptible: whether the caller can cut it off.
        lookup: where its knowledge is looked up for each answer.
        tools: what its LLM may call.
        arrival: waits for tools that are on their way; None where all are there.
        allowed: what it may do without anybody's server.
        tongues: the languages it may go over to, its own among them; none if it may not.
        filler: what it says while that takes long; "" for the usual sentence.
    """

    id: str
    greeting: str
    voice: str
    speed: float
    language: str
    llm: Mind
    prompt: Prompt
    failure_message: str = ""
    reading: Reading = "auto"
    ladder: Ladder = NO_LADDER
    phrases: Phrases = ENGLISH
    nudges: tuple[str, ...] = ()
    goodbye: str = ""
    end_phrases: tuple[str, ...] = ()
    longest_s: float | None = None
    patience: Preset | None = None
    interruptible: bool = True
    lookup: Lookup = NOWHERE
    tools: Toolbox = NO_TOOLS
    arrival: Arrival | None = None
    allowed: Allowed = NOTHING
    tongues: Mapping[str, Tongue] = field(default_factory=dict)
    filler: str = ""

    def speaking(self, language: str) -> Agent:
        """The same agent in another language, one of its `tongues`."""
        tongue = self.tongues[language]
        return replace(
            self,
            language=language,
            voice=tongue.voice,
            phrases=tongue.phrases,
            prompt=tongue.prompt,
        )

    def ends_with(self, text: str) -> bool:
        """Whether whoever said `text` has ended the conversation with it."""
        return any(says(text, phrase) for phrase in self.end_phrases)

    def words_of(self, fixed: FixedLine, *, nudged: int, left_s: float) -> str:
        """What it says where no LLM is asked: its owner's words, or else the usual ones.

        Args:
            fixed: for what.
            nudged: how often the caller was asked whether they are there, this time included.
            left_s: how long the conversation may still take, in seconds.
        """
        usual = self.phrases
        match fixed:
            case FixedLine.GREETING:
                return self.greeting
            case FixedLine.NOT_HEARD:
                return usual.not_heard
            case FixedLine.NUDGE:
                nudges = self.nudges or usual.nudges
                return nudges[(nudged - 1) % len(nudges)]
            case FixedLine.WARNING:
                return usual.time_is_near.format(seconds=max(1, round(left_s)))
            case FixedLine.GIVING_UP:
                return self.goodbye or usual.nobody_there
            case FixedLine.FAREWELL:
                return self.goodbye or usual.time_is_up
            case _:
                assert_never(fixed)
