"""Links, mail, telephones and codes as they are said."""

from __future__ import annotations

import pytest

from sayso.tts.spoken import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Visit https://www.example.com/path?x=1, or not.", "Visit example dot com, or not."),
        ("<https://docs.example.org/a>", "docs dot example dot org"),
        ("at example.com/help.", "at example dot com."),
        ("www.my-shop.co.uk!", "my dash shop dot co dot uk!"),
        ("http://localhost:3000/x", "localhost"),
        ("Node.js is no address", "Node.js is no address"),
        ("jo.doe+x@example.com", "jo dot doe plus x at example dot com"),
        (
            "a_b-c99@example.com, foo@bar",
            "a underscore b dash c ninety-nine at example dot com, foo at bar",
        ),
        (
            "call +1 (555) 123-4567.",
            "call plus one, five five five, one two three, four five six seven.",
        ),
        ("call (555) 123-4567", "call five five five, one two three, four five six seven"),
        (
            "555.123.4567 or 555-1234",
            (
                "five five five, one two three, four five six seven or five five five, one "
                "two three four"
            ),
        ),
        (
            "1-800-555-0199 or 1-800-FLOWERS",
            (
                "one, eight zero zero, five five five, zero one nine nine or one, eight zero "
                "zero, FLOWERS"
            ),
        ),
        (
            "+44 20 7946 0958 or 020 7946 0958",
            (
                "plus four four, two zero, seven nine four six, zero nine five eight or zero "
                "two zero, seven nine four six, zero nine five eight"
            ),
        ),
        ("0800-123-456", "zero eight zero zero, one two three, four five six"),
        ("+1 2 3", "plus one two three"),
        (
            "4111 1111 1111 1111",
            "four one one one, one one one one, one one one one, one one one one",
        ),
        (
            "DE89 3704 0044 0532 0130 00",
            (
                "D E eight nine, three seven zero four, zero zero four four, zero five three "
                "two, zero one three zero, zero zero"
            ),
        ),
        ("192.168.0.1", "one nine two dot one six eight dot zero dot one"),
        ("order 84920173", "order eight four nine two, zero one seven three"),
        ("flight 1234567", "flight one two three, four five six seven"),
        ("account 123456789", "account one two three, four five six, seven eight nine"),
        (
            "12345678901234567890",
            (
                "one two three four, five six seven eight, nine zero one two, three four "
                "five six, seven eight nine zero"
            ),
        ),
        ("code 007", "code zero zero seven"),
        ("1000000 rows", "one million rows"),
        (
            "ABC-12345, UA1234, AB12CD34E, 4F9Z-22KX-19QW",
            (
                "A B C, one two three four five, U A one two three four, A B one two C D "
                "three four E, four F nine Z, two two K X, one nine Q W"
            ),
        ),
        ("512GB and 100USD", "five hundred twelve gigabytes and one hundred dollars"),
        ("#48213, #1, number #5", "number four eight two one three, number one, number five"),
        (
            "v1.2.3, version v2, version 2.0.1, v20, v1.0-beta",
            (
                "version one point two point three, version two, version two point zero "
                "point one, version twenty, version one point zero beta"
            ),
        ),
        ("FY2024", "fiscal year twenty twenty-four"),
    ],
)
def test_what_names_something_is_said_as_a_person_would(written: str, spoken: str) -> None:
    assert speakable(written) == spoken
