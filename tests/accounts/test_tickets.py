"""Tickets say what they were written to say, and nobody else can write one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest_world import HandClock
from sayso.accounts.schema import Account
from sayso.accounts.tickets import MAX_TICKET_CHARS, MAX_TICKET_S, PREFIX, Ticket, Tickets
from sayso.security.secrets import Secrets

ADA = Account("ada", "key-1")
KEY = bytes(range(32))


def write(tickets: Tickets, account: Account = ADA, agent_id: str = "desk-1", s: int = 60) -> str:
    return tickets.write(account, agent_id, s)[0].get_secret_value()


def test_a_ticket_is_read_as_it_was_written() -> None:
    tickets = Tickets(Secrets(KEY), HandClock())
    text, ends = tickets.write(ADA, "desk-1", 60)
    assert tickets.read(text.get_secret_value()) == Ticket("desk-1", "key-1", ends)
    assert "desk-1" not in repr(text)
    browser = write(tickets, Account("ada", "", "session-1"))
    found = tickets.read(browser)
    assert found is not None
    assert found.key_id == ""


def test_it_ends() -> None:
    clock = HandClock()
    tickets = Tickets(Secrets(KEY), clock)
    found = tickets.read(write(tickets, s=60))
    assert found is not None
    assert not tickets.has_ended(found)
    clock.at_s += 58
    assert not tickets.has_ended(found)
    clock.at_s += 2
    assert tickets.has_ended(found)
    assert found.expires_at - clock.utc() < timedelta(seconds=60)


def test_another_servers_ticket_is_none() -> None:
    clock = HandClock()
    assert Tickets(Secrets(bytes(32)), clock).read(write(Tickets(Secrets(KEY), clock))) is None


@pytest.mark.parametrize("at", [len(PREFIX), 10, -40, -33, -1])
def test_a_ticket_that_was_changed_is_none(at: int) -> None:
    tickets = Tickets(Secrets(KEY), HandClock())
    text = write(tickets)
    other = "A" if text[at] != "A" else "B"
    changed = text[:at] + other + (text[at + 1 :] if at != -1 else "")
    assert tickets.read(changed) is None


def test_what_is_signed_but_makes_no_sense_is_none() -> None:
    """Only another version of ours could have signed it."""
    secrets = Secrets(KEY)
    tickets = Tickets(secrets, HandClock())
    for payload in ("", "Zm9v", "A", "YSBiIGM", "w7w", "YSBiIDk5OTk5OTk5OTk5OTk5OTk5OQ"):
        assert tickets.read(f"{PREFIX}{payload}.{secrets.sign(payload)}") is None


@given(st.text(max_size=200))
def test_anything_else_is_none(text: str) -> None:
    tickets = Tickets(Secrets(KEY), HandClock())
    assert tickets.read(text) is None
    assert tickets.read(PREFIX + text) is None


def test_the_longest_ticket_can_be_read() -> None:
    tickets = Tickets(Secrets(KEY), HandClock())
    longest = write(tickets, Account("u", "k" * 100), "a" * 100, MAX_TICKET_S)
    assert len(longest) < MAX_TICKET_CHARS
    assert tickets.read(longest) is not None
    assert tickets.read(longest + "x" * MAX_TICKET_CHARS) is None
