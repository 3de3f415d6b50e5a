"""The page on conversations has the codes, and the sentences, of the code."""

from __future__ import annotations

from typing import get_args

from documents import marked, section, table
from sayso.conversations import exchanges
from sayso.conversations.record_schema import EndReason, Fault, Outcome
from sayso.conversations.words import END_REASONS, FAULTS, OUTCOMES

PAGE = "docs/reference/conversations.md"


def listed(heading: str) -> dict[str, str]:
    return {marked(row[0])[0]: row[1] for row in table(PAGE, heading)}


def test_every_end_fault_and_outcome_is_listed_in_its_words() -> None:
    assert listed("## End reasons") == END_REASONS
    assert listed("## Faults") == FAULTS
    assert {k: v.replace("`", "") for k, v in listed("## Outcomes of exchanges").items()} == {
        k: v.replace("`", "") for k, v in OUTCOMES.items()
    }


def test_the_api_takes_every_one_of_them() -> None:
    assert set(get_args(EndReason)) == set(END_REASONS)
    assert set(get_args(Fault)) == set(FAULTS)
    assert set(get_args(Outcome)) == set(OUTCOMES)


def test_the_limits_are_the_codes() -> None:
    text = section(PAGE, "## Outcomes of exchanges")
    assert f"{exchanges.MAX_REQUEST_BYTES:,} bytes" in text
    assert f"{exchanges.MAX_RESPONSE_CHARS:,} characters" in text
    assert f"`{exchanges.MASK}`" in text
