"""What was learned about endpoints, in memory for conversations and in a store for restarts."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Protocol

from sayso.llm.profile import STRANGER, Answers, Limit, Profile, ProfileKey, merge

MAX_PROFILES = 10_000
"""Profiles held in memory; beyond it the one unused for longest is forgotten."""


class Shelf(Protocol):
    """Where profiles outlive the process, as documents."""

    async def load(self) -> Mapping[str, Mapping[str, object]]:
        """All of them by id, the oldest first."""
        ...

    async def save(self, id_: str, profile: Mapping[str, object], /) -> None:
        """Keep one."""
        ...


class LearnedProfiles:
    """`Profiles` that answer from memory and write through to a shelf."""

    def __init__(self, shelf: Shelf, *, max_profiles: int = MAX_PROFILES) -> None:
        """Prepare; nothing is known before `open`."""
        self._shelf = shelf
        self._max_profiles = max_profiles
        self._known: OrderedDict[str, Profile] = OrderedDict()
        self._saving = asyncio.Lock()

    async def open(self) -> None:
        """Take what is on the shelf."""
        for id_, document in (await self._shelf.load()).items():
            self._keep(id_, read_profile(document))

    def get(self, key: ProfileKey) -> Profile:
        """The profile last learned, or `STRANGER`; about 2 µs."""
        id_ = identify(key)
        profile = self._known.get(id_)
        if profile is None:
            return STRANGER
        self._known.move_to_end(id_)
        return profile

    async def put(self, key: ProfileKey, profile: Profile, since: Profile | None = None) -> None:
        """Keep a profile, and what became known since `since` was; see `merge`.

        Conversations have it before the shelf does.
        """
        id_ = identify(key)
        now = self._known.get(id_)
        if now is not None and since is not None:
            profile = merge(profile, since, now)
        if now == profile:
            return
        self._keep(id_, profile)
        async with self._saving:  # in order: the shelf ends with what memory has
            newest = self._known.get(id_, profile)
            await self._shelf.save(id_, dump_profile(newest))

    def _keep(self, id_: str, profile: Profile) -> None:
        self._known[id_] = profile
        self._known.move_to_end(id_)
        if len(self._known) > self._max_profiles:
            self._known.popitem(last=False)


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
