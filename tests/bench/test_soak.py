"""The soak: a tiny one against a real server, and what makes it complain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from child import count_descriptors, measure
from soak import (
    UNCODED,
    Plan,
    Sample,
    Soaked,
    complaints,
    report,
    show_counts,
    slopes,
    soak,
)

MIB = 2**20
CALM = Sample(0.0, 300 * MIB, 0, 30, 4, 0)
TALKING = [Sample(at * 10.0, 350 * MIB, 0, 50 + at % 3, 150 + at % 7, 20) for at in range(1, 361)]
"""An hour in which nothing grows."""

FOUND = Soaked(
    facts="a machine",
    before=CALM,
    after=CALM,
    samples=TALKING,
    talked={"hung up": 9, "lost the line": 1},
    ends={"user": 9, "error": 1},
    waits_s=(0.5,),
    missing=0,
    cpu_s=1.0,
)


async def test_a_tiny_soak_leaves_nothing_behind() -> None:
    found = await soak(Plan(callers=2, lasts_s=4.0, every_s=1.0, rest_s=0.5))
    assert len(found.samples) >= 2
    assert all(sample.resident_bytes > 10 * MIB for sample in found.samples)
    assert max(sample.conversations for sample in found.samples) <= 2
    assert max(sample.tasks for sample in found.samples) > found.before.tasks
    assert sum(found.ends.values()) == sum(found.talked.values()) >= 4
    assert UNCODED not in found.ends
    assert found.ends.get("error", 0) == sum(
        count for ending, count in found.talked.items() if ending == "lost the line"
    )
    assert (found.after.tasks, found.after.conversations) == (found.before.tasks, 0)


def test_nothing_is_said_where_nothing_grows() -> None:
    assert complaints(FOUND) == []
    assert "Nothing grows" in report(FOUND)
    assert all(slope.is_flat for slope in slopes(FOUND.steady))


def grown(sample: Sample, by: float) -> Sample:
    return replace(
        sample,
        resident_bytes=sample.resident_bytes + int(by * MIB),
        descriptors=sample.descriptors + int(by),
        tasks=sample.tasks + int(by),
    )


def test_what_grows_with_time_is_named() -> None:
    leaking = replace(FOUND, samples=[grown(sample, sample.at_s / 60) for sample in TALKING])
    assert [said.partition(":")[0] for said in complaints(leaking)] == [
        "memory, MiB", "descriptors", "tasks",
    ]  # fmt: skip
    assert "60." in complaints(leaking)[0]


def test_conversations_that_wait_for_the_collector_are_a_slope() -> None:
    """9 MiB in half an hour, as measured once: a quarter of an hour may look steady."""
    leaking = [grown_mib(sample, 9 * sample.at_s / 1800) for sample in TALKING]
    assert complaints(replace(FOUND, samples=leaking)) == [
        "memory, MiB: grows by 18.0 an hour; 3.0 is allowed."
    ]


def test_work_of_a_moment_and_one_step_are_no_slope() -> None:
    encoding = [grown_mib(one, 7 * (at > 180 and at % 2)) for at, one in enumerate(TALKING)]
    assert complaints(replace(FOUND, samples=encoding)) == []
    stepping = [grown_mib(one, 2 * (at > 300)) for at, one in enumerate(TALKING)]
    assert complaints(replace(FOUND, samples=stepping)) == []


def test_many_steps_are_a_slope() -> None:
    stairs = [grown_mib(one, at // 30) for at, one in enumerate(TALKING)]
    assert complaints(replace(FOUND, samples=stairs))


def test_a_short_run_may_reach_for_a_little_more_heap() -> None:
    short = TALKING[:30]
    assert complaints(replace(FOUND, samples=[grown_mib(s, s.at_s / 800) for s in short])) == []
    assert complaints(replace(FOUND, samples=[grown_mib(s, s.at_s / 200) for s in short]))


def grown_mib(sample: Sample, mib: float) -> Sample:
    return replace(sample, resident_bytes=sample.resident_bytes + int(mib * MIB))


def test_growth_in_the_warm_up_is_no_slope() -> None:
    rising = [grown_mib(one, min(at, 180) / 20) for at, one in enumerate(TALKING)]
    assert complaints(replace(FOUND, samples=rising)) == []
    told = report(replace(FOUND, samples=rising))
    assert "Memory over the run, MiB: 351.1 352.3 353.5" in told
    assert "359.0 359.0 359.0 359.0 359.0 359.0 359.0 359.0.\n" in told
    assert "memory, MiB: +0.0 an hour" in told


def test_a_short_run_has_no_slope() -> None:
    assert slopes(TALKING[:7]) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"after": grown(CALM, 9)}, "tasks: 4 before, 13 after"),
        ({"after": replace(CALM, conversations=1)}, "never ended"),
        ({"ends": {"user": 9, UNCODED: 1}}, "without an end"),
        ({"ends": {"user": 9}}, "10 conversations were held, 9 are stored"),
        ({"missing": 2}, "2 turns had no reply"),
    ],
)
def test_what_is_left_or_lost_is_named(changes: dict[str, object], said: str) -> None:
    assert any(said in one for one in complaints(replace(FOUND, **changes)))  # type: ignore[arg-type]


def test_counts_are_shown_in_order() -> None:
    assert show_counts({"b": 1, "a": 2}) == "2 a, 1 b"
    assert show_counts({}) == "none"


def test_a_process_knows_its_descriptors() -> None:
    with open("/dev/null", "rb"):  # noqa: PTH123 - what is counted
        more = count_descriptors()
    assert more == count_descriptors() + 1 or more == 0
    assert measure().tasks == 0
