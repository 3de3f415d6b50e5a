"""Clauses that wait to be spoken, bounded by their length."""

from __future__ import annotations

import asyncio

import pytest

from sayso.talk import backlog
from sayso.talk.backlog import CHAR_S, Backlog


async def test_clauses_come_out_in_order_and_the_end_last() -> None:
    clauses = Backlog()
    for clause in ("One.", "Two.", None):
        clauses.put_nowait(clause)
    assert [await clauses.get() for _ in range(3)] == ["One.", "Two.", None]
    assert clauses.empty()


async def test_what_waits_lasts_by_its_length() -> None:
    clauses = Backlog()
    assert clauses.lasts_s == 0.0
    clauses.put_nowait("x" * 50)
    clauses.put_nowait(None)
    assert clauses.lasts_s == pytest.approx(50 * CHAR_S)
    await clauses.get()
    assert clauses.lasts_s == 0.0


async def test_many_short_clauses_fit_and_a_long_text_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backlog, "CHARS_AHEAD", 100)
    clauses = Backlog()
    for _ in range(25):
        clauses.put_nowait("Yes.")
    assert clauses.full()
    waiting = asyncio.create_task(clauses.put("No."))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert clauses.qsize() == 25
    await clauses.get()
    await waiting
    assert clauses.qsize() == 25


async def test_one_clause_of_any_length_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "CHARS_AHEAD", 100)
    clauses = Backlog()
    clauses.put_nowait("x" * 1000)
    with pytest.raises(asyncio.QueueFull):
        clauses.put_nowait(None)
    await clauses.get()
    clauses.put_nowait(None)
