from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from sayso.errors import TalkError
from sayso.seats import Seat, Seats
from sayso.talk.events import EndedBy


class Guest:
    """Remembers who ended it, and is over when told so."""

    def __init__(self) -> None:
        self.ended_by: list[EndedBy] = []
        self.over = asyncio.Event()

    def hang_up(self, by: EndedBy) -> None:
        self.ended_by.append(by)


async def sit(seats: Seats, guest: Guest, took: list[Guest]) -> Seat:
    async with seats.take("c1") as seat:
        seat.guest = guest
        took.append(guest)
        await guest.over.wait()
    return seat


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_back_waits_until_the_lost_line_is_over() -> None:
    seats, took = Seats(), list[Guest]()
    lost, back = Guest(), Guest()
    first = asyncio.create_task(sit(seats, lost, took))
    await settle()
    second = asyncio.create_task(sit(seats, back, took))
    await settle()
    assert lost.ended_by == [EndedBy.ERROR]
    assert took == [lost]
    lost.over.set()
    await settle()
    assert took == [lost, back]
    back.over.set()
    assert not (await first).follows
    assert (await second).follows
    assert back.ended_by == []


async def test_the_last_of_several_has_it() -> None:
    seats, took = Seats(), list[Guest]()
    guests = [Guest() for _ in range(3)]
    tasks = []
    for guest in guests:
        tasks.append(asyncio.create_task(sit(seats, guest, took)))
        await settle()
    for guest in guests:
        guest.over.set()
    _, second, _ = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(second, TalkError)
    assert took == [guests[0], guests[2]]


async def test_a_line_that_does_not_end_is_not_waited_for_for_ever() -> None:
    seats, took = Seats(take_over_s=0.01), list[Guest]()
    lost, back = Guest(), Guest()
    first = asyncio.create_task(sit(seats, lost, took))
    await settle()
    back.over.set()
    with capture_logs() as logs:
        await sit(seats, back, took)
    assert [one["event"] for one in logs] == ["line_taken_over", "line_taken_over_before_its_end"]
    assert took == [lost, back]
    lost.over.set()
    await first


async def test_conversations_do_not_disturb_one_another_and_nothing_is_left() -> None:
    seats = Seats()
    async with seats.take("c1") as one, seats.take("c2") as other:
        one.check()
        other.check()
    async with seats.take("c1") as again:
        assert not again.follows


async def test_who_was_taken_over_before_they_sat_down_is_refused() -> None:
    seat = Seat()
    seat.leave()
    with pytest.raises(TalkError, match="another connection"):
        seat.check()
