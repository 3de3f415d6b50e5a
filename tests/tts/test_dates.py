"""Dates, times and durations as they are said."""

from __future__ import annotations

import pytest

from sayso.tts.spoken import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "2024-05-01 or 2024/05/01",
            "May first, twenty twenty-four or May first, twenty twenty-four",
        ),
        ("2024-05-01T14:30:00Z", "May first, twenty twenty-four, fourteen thirty UTC"),
        ("2024-13-01", "twenty twenty-four to thirteen to zero one"),
        (
            "12/25/2025, 25/12/2025, 5/1/24",
            (
                "December twenty-fifth, twenty twenty-five, December twenty-fifth, twenty "
                "twenty-five, May first, twenty twenty-four"
            ),
        ),
        ("99/99/2024", "ninety-nine ninety-nine twenty twenty-four"),
        ("31.12.2024", "December thirty-first, twenty twenty-four"),
        ("Jan. 5, 2024 and March 3rd", "January fifth, twenty twenty-four and March third"),
        ("May 5-7, 2024", "May fifth to seventh, twenty twenty-four"),
        ("Jan. 5 – Jan. 10", "January fifth to January tenth"),
        ("May 99", "May ninety-nine"),
        ("4 July 1999", "the fourth of July, nineteen ninety-nine"),
        ("the 4th of July", "the fourth of July"),
        ("99 May", "ninety-nine May"),
        ("May 39 and 39 May", "May thirty-nine and thirty-nine May"),
        ("Sept. 2024", "September twenty twenty-four"),
        ("May I help? March on!", "May I help? March on!"),
        ("Mon-Fri, Mon, Jan 5", "Monday to Friday, Monday, January fifth"),
        (
            "at 14:30, 07:45, 9:05, 9:00, 14:00, 00:00",
            (
                "at fourteen thirty, seven forty-five, nine oh five, nine o'clock, fourteen "
                "hundred, midnight"
            ),
        ),
        ("12:30:45", "twelve thirty and forty-five seconds"),
        ("9:00 am, 5pm, 7 p.m. Monday, 5 a.m.", "nine AM, five PM, seven PM Monday, five AM."),
        (
            "9am-5pm, 9-10:30am, 9:30-17:00",
            "nine AM to five PM, nine to ten thirty AM, nine thirty to seventeen hundred",
        ),
        ("24/7", "twenty-four seven"),
        (
            "1h 30m, 2 hrs 5 min 10 sec, 5m 30s",
            (
                "one hour thirty minutes, two hours five minutes ten seconds, five minutes "
                "thirty seconds"
            ),
        ),
        (
            "the 1990s, the '90s, the 80s, the 2000s, his 30s",
            ("the nineteen nineties, the nineties, the eighties, the two thousands, his thirties"),
        ),
        ("30s and 5min", "thirty seconds and five minutes"),
    ],
)
def test_a_time_is_said_as_a_person_would(written: str, spoken: str) -> None:
    assert speakable(written) == spoken
