"""What was learned about endpoints, in memory for conversations and in a store for restarts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

from sayso.llm.profile import (
    STRANGER,
    Profile,
    ProfileKey,
    dump_profile,
    identify,
    merge,
    read_profile,
)

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
