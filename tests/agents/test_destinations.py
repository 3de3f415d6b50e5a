"""To whom an agent may hand its callers on: what may be saved, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sayso.agents.destinations import StoredDestination, TransferDestination, read_destinations
from sayso.agents.schema import NewAgent

DESK: dict[str, Any] = {"name": "Desk", "phoneNumber": "+15550100123", "when": "they want a table"}


def read(*destinations: object) -> list[TransferDestination]:
    body = {"displayName": "x", "transferDestinations": list(destinations)}
    return NewAgent.model_validate(body).transfer_destinations or []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("+15550100123", "+15550100123"),
        (" +1 (555) 010-0123 ", "+15550100123"),
        ("+43.1/234-567", "+431234567"),
        ("sip:desk@example.com", "sip:desk@example.com"),
        ("SIPS:+431234567@pbx.example.com:5061;transport=tls", None),
    ],
)
def test_numbers_are_taken_as_people_write_them(sent: str, kept: str | None) -> None:
    (desk,) = read(DESK | {"phoneNumber": sent})
    assert desk.phone_number == (kept or sent)


@pytest.mark.parametrize(
    "number",
    ["", "5550100123", "0043 1 234567", "+0555010012", "+123456", "+1234567890123456", "+1555CALL",
     "mailto:a@b.c", "sip:", "sip:a b@c", "sip:a@b\r\nX: y", "tel:+15550100123"],
)  # fmt: skip
def test_what_no_line_could_call_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match=r"must be a telephone number|must be a SIP"):
        read(DESK | {"phoneNumber": number})


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "-"},
        {"name": "x" * 61},
        {"when": " "},
        {"when": "x" * 501},
        {"when": None},
        {"message": "x" * 251},
        {"message": 1},
        {"phone": "+15550100123"},
    ],
)
def test_bad_fields_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(DESK | change)


def test_names_are_one_line_and_no_two_alike() -> None:
    one, two = read(DESK | {"name": " The\n desk "}, DESK)
    assert (one.name, two.name) == ("The desk", "Desk")
    with pytest.raises(ValidationError, match="has two named 'DESK'"):
        read(DESK, DESK | {"name": "DESK"})
    with pytest.raises(ValidationError, match="at most 20"):
        read(*(DESK | {"name": f"Desk {n}"} for n in range(21)))


def test_a_message_without_words_is_none() -> None:
    (desk,) = read(DESK | {"message": " ... "})
    assert desk.message is None


def test_numbers_stay_out_of_what_is_printed() -> None:
    stored = {"name": "Desk", "phone_number": "+15550100123", "when": "they ask", "message": None}
    (desk,) = read_destinations([stored])
    assert desk == StoredDestination("Desk", "+15550100123", "they ask", None)
    assert "555" not in repr(desk)
