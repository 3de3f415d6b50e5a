"""What a conversation knows of its agent: read once when it opens, and frozen.

A change saved meanwhile counts for conversations that start after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sayso.llm import Llm, Message
from sayso.talk.history import Line


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
    """

    id: str
    greeting: str
    voice: str
    speed: float
    language: str
    llm: Llm
    prompt: Callable[[Sequence[Line]], Sequence[Message]]
    failure_message: str = ""
