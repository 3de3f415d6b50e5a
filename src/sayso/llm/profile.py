"""What an LLM endpoint was seen to tolerate, so that a conversation sends exactly that. Pure.

Strict servers refuse fields they do not know (livekit/agents#1274, #1790), templates refuse a
system message or two lines of one role (weaviate/Verba#150, microsoft/autogen#1037), newer
models take `max_completion_tokens` only. The check finds out by trying; until it has, the
smallest body is sent.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Protocol

from sayso.llm import Endpoint

MAX_PROFILES = 10_000
"""How many endpoints are remembered."""


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
        alternates: it wants roles to alternate, beginning with the caller; None until tried, and
            then they do.
        tools: it takes tools, and calls them; else it is told of functions in words. None until
            tried, and then it is offered them.
        blank: it wants "" where a message only calls functions; else that has no content, null.
        stream_options: it takes `stream_options`; None until tried.
        thinks_first: its answers begin with thoughts whose opening tag nobody sends.
        refused: other body fields it refused, left out from then on.
        first_token_ms: to the first useful word, when last checked.
        unicode: letters beyond ASCII come back whole; None until tried, as are the next four.
        long_prompt: it takes a prompt as long as an agent with much knowledge has.
        parallel: it answers two callers at once.
        cancels: it stops working when a caller hangs up; None as well where that cannot be seen.
        keep_alive: it takes a second request on the same connection.
    """

    answers: Answers = Answers.STREAM
    limit: Limit = Limit.MAX_TOKENS
    temperature: bool = True
    system: bool = True
    alternates: bool | None = None
    tools: bool | None = None
    blank: bool = False
    stream_options: bool | None = None
    thinks_first: bool = False
    refused: frozenset[str] = frozenset()
    first_token_ms: float | None = None
    unicode: bool | None = None
    long_prompt: bool | None = None
    parallel: bool | None = None
    cancels: bool | None = None
    keep_alive: bool | None = None

    def refusing(self, field: str) -> Profile:
        """The same, with one more body field left out."""
        return replace(self, refused=self.refused | {field})


STRANGER = Profile()


def key_of(endpoint: Endpoint, default_model: str) -> ProfileKey:
    """What `endpoint`'s profile is kept under."""
    return ProfileKey(endpoint.base_url.rstrip("/"), endpoint.model or default_model)


def merge(learned: Profile, since: Profile, now: Profile) -> Profile:
    """`learned`, and what became known while it was being learned.

    A check takes a minute, and a conversation may meet a refusal meanwhile: what changed from
    `since`, known when the learning began, to `now` is newer, and stays.
    """
    newer = {
        field.name: getattr(now, field.name)
        for field in fields(Profile)
        if getattr(now, field.name) != getattr(since, field.name)
    }
    added = now.refused - since.refused
    taken = since.refused - now.refused
    return replace(learned, **newer | {"refused": (learned.refused | added) - taken})


# Documents ------------------------------------------------------------------------------------


def identify(key: ProfileKey) -> str:
    """The id a profile is kept under: a hash, for a base URL's query may hold a key."""
    return hashlib.sha256(f"{key.base_url}\n{key.model}".encode()).hexdigest()


def dump_profile(profile: Profile) -> dict[str, Any]:
    """`profile` as a document of plain JSON values."""
    return {**asdict(profile), "refused": sorted(profile.refused)}


def read_profile(document: Mapping[str, Any]) -> Profile:
    """A profile from its document; fields it lacks or that are gone keep their defaults."""
    known = {field.name for field in fields(Profile)}
    values: dict[str, Any] = {n: v for n, v in document.items() if n in known}
    for name, kind in _KINDS.items():
        if name in values:
            values[name] = kind(values[name])
    return Profile(**values)


_KINDS: Mapping[str, Callable[[Any], object]] = {
    "answers": Answers,
    "limit": Limit,
    "refused": frozenset,
}


# Places ---------------------------------------------------------------------------------------


class Profiles(Protocol):
    """Where profiles are kept; `get` never waits, because a conversation asks."""

    def get(self, key: ProfileKey) -> Profile:
        """The profile last learned, or `STRANGER`."""
        ...

    async def put(self, key: ProfileKey, profile: Profile, since: Profile | None = None) -> None:
        """Keep a profile, and what became known since `since` was; see `merge`."""
        ...


class MemoryProfiles:
    """Profiles for as long as the process lives; the longest unused go first."""

    def __init__(self, max_profiles: int = MAX_PROFILES) -> None:
        self._max_profiles = max_profiles
        self._profiles: OrderedDict[ProfileKey, Profile] = OrderedDict()

    def get(self, key: ProfileKey) -> Profile:
        """The profile last learned, or `STRANGER`."""
        profile = self._profiles.get(key)
        if profile is None:
            return STRANGER
        self._profiles.move_to_end(key)
        return profile

    async def put(self, key: ProfileKey, profile: Profile, since: Profile | None = None) -> None:
        """Keep a profile, and what became known since `since` was; see `merge`."""
        now = self._profiles.get(key)
        known = profile if now is None or since is None else merge(profile, since, now)
        self._profiles[key] = known
        self._profiles.move_to_end(key)
        while len(self._profiles) > self._max_profiles:
            self._profiles.popitem(last=False)
