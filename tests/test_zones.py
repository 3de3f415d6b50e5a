"""Time zones, found by what people call them."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from sayso.zones import MAX_NAME_CHARS, ZoneError, find_zone


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Europe/Vienna", "Europe/Vienna"),
        (" europe/vienna ", "Europe/Vienna"),
        ("Vienna", "Europe/Vienna"),
        ("new york", "America/New_York"),
        ("America/Argentina/Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_is_found_by_what_it_is_called(name: str, key: str) -> None:
    assert find_zone(name).key == key


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "../etc/passwd",
        "/etc/localtime",
        "\ud800",
        "a\0b",
        "x" * 10_000,
    ],
)
def test_what_is_no_zone_is_said(name: str) -> None:
    with pytest.raises(ZoneError, match="is no time zone; write its IANA name"):
        find_zone(name)


def test_what_may_be_several_is_asked_back() -> None:
    with pytest.raises(ZoneError, match=r"may be several time zones: .*America/Louisville"):
        find_zone("louisville")


def test_all_of_them_are_found_by_their_own_name() -> None:
    names = available_timezones()
    assert {find_zone(name).key for name in names} == names
    assert max(map(len, names)) < MAX_NAME_CHARS
