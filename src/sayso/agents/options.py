"""The words that some of an agent's fields may hold, as the contract spells them."""

from __future__ import annotations

from typing import Literal, TypeAlias

TtsModel: TypeAlias = Literal["PlayHT2.0-turbo", "Play3.0-mini", "PlayDialog"]
Visibility: TypeAlias = Literal["public", "private", "unlisted"]
Language: TypeAlias = Literal[
    "english",
    "french",
    "german",
    "greek",
    "hindi",
    "italian",
    "japanese",
    "korean",
    "malay",
    "mandarin",
    "polish",
    "portuguese",
    "russian",
    "spanish",
    "thai",
    "turkish",
    "arabic",
]
Normalization: TypeAlias = Literal["auto", "on", "off"]
Patience: TypeAlias = Literal["eager", "normal", "patient"]
BuiltInAction: TypeAlias = Literal["end-call", "current-time", "leave-message", "switch-language"]
AnsweredBy: TypeAlias = Literal["llm", "built-in-llm", "built-in-extractive"]
