"""What an LLM endpoint was seen to tolerate, so that a conversation sends exactly that. Pure.

Strict servers refuse fields they do not know (livekit/agents#1274, #1790), templates refuse a
system message or two lines of one role (weaviate/Verba#150, microsoft/autogen#1037), newer
models take `max_completion_tokens` only. The check finds out by trying; until it has, the
smallest body is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from sayso.llm import Endpoint


class Answers(StrEnum):
    """How an endpoint delivers its answer."""

    STREAM = "stream"
    BUFFERED = "buffered"
    JSON = "json"


class Limit(StrEnum):
    """The name under which an endpoint takes the longest answer."""

    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProfileKey:
    """What a profile belongs to: a base URL and a model."""

    base_url: str
    model: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What one endpoint tolerates. The defaults are what is sent to a stranger.

    Attributes:
        answers: whether it really streams.
        limit: how it takes the longest answer.
        temperature: it takes a temperature.
        system: it takes a system message; else that is folded into the first line of the caller.
        alternates: it wants roles to alternate, beginning with the caller.
        tools: it takes tools; None until tried.
        stream_options: it takes `stream_options`; None until tried.
        refused: other body fields it refused, left out from then on.
        first_token_ms: to the first useful word, when last checked.
    """

    answers: Answers = Answers.STREAM
    limit: Limit = Limit.MAX_TOKENS
    temperature: bool = True
    system: bool = True
    alternates: bool = True
    tools: bool | None = None
    stream_options: bool | None = None
    refused: frozenset[str] = frozenset()
    first_token_ms: float | None = None

    def refusing(self, field: str) -> Profile:
        """The same, with one more body field left out."""
        return replace(self, refused=self.refused | {field})


STRANGER = Profile()


def key_of(endpoint: Endpoint, default_model: str) -> ProfileKey:
    """What `endpoint`'s profile is kept under."""
    return ProfileKey(endpoint.base_url.rstrip("/"), endpoint.model or default_model)


class Profiles(Protocol):
    """Where profiles are kept; `get` never waits, because a conversation asks."""

    def get(self, key: ProfileKey) -> Profile:
        """The profile last learned, or `STRANGER`."""
        ...

    async def put(self, key: ProfileKey, profile: Profile) -> None:
        """Keep a profile."""
        ...
