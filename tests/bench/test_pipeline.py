from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import child
import floor
from child import ChildError, measure, start
from outcome import report, went_wrong
from pipeline import read_stages, run
from plan import Plan
from sayso.store.database import migrate
from script import ModelTimes
from systems import FLOOR, PEERS, SAYSO, System, is_installed

TIMES = ModelTimes()
TINY = Plan(
    loads=((2, 1),),
    rounds=1,
    interruptions=(1, 1),
    ladder=(1,),
    ladder_turns=1,
    ladder_runs=1,
    limit_s=120.0,
)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


# The whole run, tiny -------------------------------------------------------------------------


async def test_a_tiny_run_measures_every_server_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = await run(TINY, TIMES, [FLOOR, SAYSO])
    for name in ("floor", "sayso"):
        (phase,) = outcome.measured[name].phases
        assert (phase.early, phase.missing, len(phase.waits_s)) == (0, 0, 2)
        assert all(0.45 < wait_s < 3.0 for wait_s in phase.waits_s)
        assert len(phase.starts_s) == 2
        assert 0 < phase.cpu_s < 2 * phase.wall_s
        assert phase.resident_bytes > 10 * 2**20
        (stops,) = outcome.measured[name].stops
        assert (len(stops.stops_s), stops.unheeded) == (1, 0)
        assert 0.3 < stops.stops_s[0] < 2.0
    assert list(outcome.stages_ms) == [
        "endpoint", "llm_first_token", "first_clause", "tts_first_sound", "first_sound_sent",
        "unseen",
    ]  # fmt: skip
    assert outcome.stages_ms["llm_first_token"] >= TIMES.first_token_s * 1000 - 1
    assert not went_wrong(outcome)
    assert "pipeline p50" in report(outcome)

    lines = capsys.readouterr().err.splitlines()
    pids = [int(line.split()[-1].rstrip(".")) for line in lines if " is process " in line]
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)
    assert len([line for line in lines if line.startswith("Capacity: ")]) == 6


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
async def test_a_peer_answers_and_gives_way(peer: System) -> None:
    if not is_installed(peer):
        pytest.skip(f"{peer.name} is not installed; `make bench` does that")
    plan = Plan(loads=((1, 2),), rounds=1, interruptions=(1, 1), ladder=(), limit_s=120.0)
    outcome = await run(plan, TIMES, [SAYSO, peer])
    (phase,) = outcome.measured[peer.name].phases
    assert (phase.missing, len(phase.firsts_s), len(phase.laters_s)) == (0, 1, 1)
    assert len(outcome.measured[peer.name].stops[0].stops_s) == 1


def test_a_database_without_turns_has_no_stages(tmp_path: Path) -> None:
    migrate(f"sqlite+aiosqlite:///{tmp_path / 'sayso.db'}")
    assert read_stages(tmp_path / "sayso.db") == {}


# Children ------------------------------------------------------------------------------------


def write_script(folder: Path, text: str) -> Path:
    path = folder / "script_under_test.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(Path(child.__file__).parent)!r})\n{text}")
    return path


SERVING = """
import threading
from child import obey_parent
over = threading.Event()
obey_parent("ws://nowhere/", over.set)
over.wait(30)
"""


async def test_a_child_says_what_it_costs_and_ends_with_its_input(tmp_path: Path) -> None:
    script = write_script(tmp_path, SERVING)
    async with start(script, [], tmp_path / "log") as running:
        assert running.url == "ws://nowhere/"
        cost = await running.cost()
        assert 0 < cost.cpu_s < 5
        assert 2**20 < cost.resident_bytes < 2**30
        assert is_running(running.pid)
    assert not is_running(running.pid)


async def test_a_child_that_fails_shows_its_log(tmp_path: Path) -> None:
    script = write_script(tmp_path, "sys.exit('the roof is on fire')")
    with pytest.raises(ChildError, match="the roof is on fire"):
        async with start(script, [], tmp_path / "log"):
            pass


async def test_a_child_that_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "END_TIMEOUT_S", 0.2)
    script = write_script(tmp_path, SERVING.replace("over.set", "lambda: None"))
    async with start(script, [], tmp_path / "log") as running:
        pass
    assert not is_running(running.pid)


async def test_a_child_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "START_TIMEOUT_S", 0.2)
    script = write_script(tmp_path, "sys.stdin.read()")
    with pytest.raises(ChildError, match=r"said nothing within 0\.2 s"):
        async with start(script, [], tmp_path / "log"):
            pass


def test_a_process_knows_its_own_cost() -> None:
    assert measure().cpu_s > 0
    assert measure().resident_bytes > 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_without_proc_is_the_highest_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = child.resident_bytes()
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert child.resident_bytes() > now / 2


# The floor -----------------------------------------------------------------------------------


def test_loudness_tells_speech_from_silence() -> None:
    loudness = floor.Loudness()
    noticed = []
    for frame in (bytes(640), b"\x00\x20" * 320, b"\x01\x00" * 320, b""):
        loudness.hear(frame)
        noticed.append((loudness.spoken, loudness.silent_s))
    assert noticed == [(False, 0.02), (True, 0.0), (True, 0.02), (True, 0.02)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thank you for calling, all is well.", ["Thank you for calling,", "all is well."]),
        ("Yes, it is so, I think. So, there", ["Yes, it is so, I think.", "So, there"]),
        ("It may be so, or it is not, I think", ["It may be so, or it is not,", "I think"]),
        ("", []),
    ],
)
async def test_the_floor_cuts_clauses(text: str, expected: list[str]) -> None:
    async def letters() -> AsyncIterator[str]:
        for letter in text:
            yield letter

    assert [clause async for clause in floor.clauses(letters())] == expected


def test_the_floor_hums_as_long_as_it_is_told() -> None:
    assert len(floor.hum(1.5)) == 36_000
