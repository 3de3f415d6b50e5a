from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import child
import floor
from callers import Heard, Reply
from child import ChildError, measure, start
from pipeline import Plan, complaints, make_rows, read_stages, report, run, write_json
from sayso.store.database import migrate
from script import ModelTimes

TIMES = ModelTimes()
TINY = Plan(loads=((2, 1),), rounds=1, limit_s=60.0)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


# The whole run, tiny -------------------------------------------------------------------------


async def test_a_tiny_run_measures_both_servers_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = await run(TINY, TIMES)
    for name in ("floor", "sayso"):
        (phase,) = outcome.phases[name]
        assert (phase.early, phase.missing, len(phase.waits_s)) == (0, 0, 2)
        assert all(0.45 < wait_s < 3.0 for wait_s in phase.waits_s)
        assert 0 < phase.cpu_s < phase.talked_s
        assert phase.resident_bytes > 10 * 2**20
    assert list(outcome.stages_ms) == [
        "endpoint", "llm_first_token", "first_clause", "tts_first_sound", "first_sound_sent",
        "unseen",
    ]  # fmt: skip
    assert outcome.stages_ms["llm_first_token"] >= TIMES.first_token_s * 1000 - 1
    assert complaints(outcome) == []
    assert "pipeline p50" in report(outcome, TIMES)

    path = tmp_path / "figures.json"
    write_json(path, outcome, TIMES)
    body = json.loads(path.read_text())
    assert [row["what"] for row in body["rows"]] == [row.what for row in make_rows(outcome.figures)]
    assert len(body["phases"]["sayso"][0]["waits_s"]) == 2

    words = capsys.readouterr().err.split()
    pids = [int(word.strip(",.")) for word in words if word.strip(",.").isdigit()][:2]
    assert not any(is_running(pid) for pid in pids)


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


# Callers ---------------------------------------------------------------------------------------


def test_a_reply_ends_when_its_sound_has_played() -> None:
    reply = Reply(first_sound_s=10.0, sound_bytes=4 * 24_000)
    assert reply.ends_s == 11.0
    assert Heard().waits_s == []
