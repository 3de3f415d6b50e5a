"""Time zones by their names, as people and LLMs write them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MAX_NAME_CHARS: Final = 100
MAX_TOLD: Final = 5
"""So many zones are named where several are meant."""


class ZoneError(ValueError):
    """No time zone is called so; the text says what to write."""


def find_zone(name: str) -> ZoneInfo:
    """The zone `name` means: `Europe/Vienna`, `europe/vienna`, or only `New York`.

    Its rules are the system's, else those of the package `tzdata`.

    Raises:
        ZoneError: there is none, or there are several.
    """
    key = _fold(name)
    known = _list_names().get(key, ()) if len(name) <= MAX_NAME_CHARS else ()
    if not known:
        raise ZoneError("is no time zone; write its IANA name, such as Europe/Vienna")
    if len(known) > 1:
        raise ZoneError(f"may be several time zones: {', '.join(known[:MAX_TOLD])}")
    return ZoneInfo(known[0])


@cache
def _list_names() -> Mapping[str, tuple[str, ...]]:
    """All zones by their whole names, and by the last part of these where that is none."""
    names = sorted(available_timezones())
    whole = {_fold(name): (name,) for name in names}
    cities: dict[str, tuple[str, ...]] = {}
    for name in names:
        city = _fold(name.rpartition("/")[2])
        cities[city] = (*cities.get(city, ()), name)
    return {**cities, **whole}


def _fold(name: str) -> str:
    return "_".join(name.strip().casefold().replace("_", " ").split())
