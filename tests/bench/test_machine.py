from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest

from child import Cost
from machine import Clocks, Others, describe_machine, describe_others, read_busy_s


def test_the_machine_is_told_in_words() -> None:
    line = describe_machine()
    assert "cores" in line
    assert "Python" in line


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.853, "used 85% of all cores"), (0.0, "used 0% of all cores"), (nan, "is not known")],
)
def test_others_are_told(share: float, words: str) -> None:
    assert words in describe_others(share)


def test_a_machine_without_proc_keeps_quiet_about_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert isnan(read_busy_s())


def clocks(*readings: tuple[float, float]) -> Clocks:
    """Clocks that read so at the beginning and at the end."""
    all_s, own_s, now_s = (iter(reading) for reading in readings)
    return (lambda: next(all_s), lambda: next(own_s), lambda: next(now_s))


async def test_what_this_run_uses_is_not_of_others() -> None:
    childs = iter([2.0, 2.5])

    async def cost() -> Cost:
        return Cost(next(childs), 0)

    watch = Others([cost], 2, clocks((100.0, 103.0), (1.0, 1.5), (10.0, 20.0)))
    await watch.begin()
    assert await watch.end() == pytest.approx((3.0 - 0.5 - 0.5) / (2 * 10))


async def test_clocks_that_disagree_do_not_make_others_negative() -> None:
    watch = Others([], 2, clocks((0.0, 0.0), (0.0, 9.0), (0.0, 1.0)))
    await watch.begin()
    assert await watch.end() == 0.0
