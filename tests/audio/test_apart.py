from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import msgspec
import pytest

from processes import is_alive
from sayso.audio.apart import Apart, Order, Outcome
from sayso.audio.pairing import NICENESS, perform
from sayso.errors import AudioError

SECOND = 2 * 16_000
PATIENCE_S = 20.0


@pytest.fixture
def apart() -> Iterator[Apart]:
    apart = Apart()
    yield apart
    apart.close()


@pytest.fixture
def left(tmp_path: Path) -> Path:
    path = tmp_path / "left"
    path.write_bytes(os.urandom(SECOND))
    return path


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_one_child_joined_it_splits_again(apart: Apart, left: Path, tmp_path: Path) -> None:
    file, again, other = (tmp_path / name for name in ("both", "again", "other"))
    apart.join(left, 16_000, tmp_path / "none", 16_000, file)
    pid = apart.pid
    with av.open(str(file)) as container:
        assert container.duration == 1_000_000
    apart.split(file, again, 16_000, other, 16_000)
    assert apart.pid == pid
    assert again.read_bytes() == left.read_bytes()
    assert other.read_bytes() == bytes(SECOND)


def test_it_gives_way_to_calls_and_knows_no_secret(
    apart: Apart, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_MASTER_KEY", "canary")
    apart.join(left, 16_000, left, 16_000, tmp_path / "both")
    assert apart.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, apart.pid) == NICENESS
    told = Path(f"/proc/{apart.pid}/environ")
    if told.exists():
        assert b"canary" not in told.read_bytes()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_an_encoder_took_is_given_back(apart: Apart, left: Path, tmp_path: Path) -> None:
    held_bytes = []
    for _ in range(4):
        apart.join(left, 16_000, left, 24_000, tmp_path / "both")
        pages = int(Path(f"/proc/{apart.pid}/statm").read_text().split()[1])
        held_bytes.append(pages * os.sysconf("SC_PAGE_SIZE"))
    assert held_bytes[-1] < held_bytes[0] + 2 * 2**20, held_bytes


def test_what_goes_wrong_is_what_goes_wrong_here(apart: Apart, left: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be encoded"):
        apart.join(left, 16_000, left, 16_000, tmp_path / "no" / "both")
    with pytest.raises(OSError, match="directory"):
        apart.join(tmp_path, 16_000, left, 16_000, tmp_path / "both")
    with pytest.raises(AudioError, match="cannot be read"):
        apart.split(left, tmp_path / "a", 16_000, tmp_path / "b", 16_000)
    apart.join(left, 16_000, left, 16_000, tmp_path / "both")


def test_a_child_that_was_killed_is_replaced(apart: Apart, left: Path, tmp_path: Path) -> None:
    apart.join(left, 16_000, left, 16_000, tmp_path / "one")
    first = apart.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    apart.join(left, 16_000, left, 16_000, tmp_path / "two")
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()
    assert apart.pid != first
    assert not is_alive(first)


def test_what_takes_too_long_is_given_up(left: Path, tmp_path: Path) -> None:
    apart = Apart(longest_s=0.0)
    with pytest.raises(AudioError, match="breaks off"):
        apart.join(left, 16_000, left, 16_000, tmp_path / "both")
    assert apart.pid is None


def test_a_child_without_work_is_ended(left: Path, tmp_path: Path) -> None:
    apart = Apart(idle_s=0.01)
    apart.join(left, 16_000, left, 16_000, tmp_path / "one")
    wait_for(lambda: apart.pid is None)
    apart.join(left, 16_000, left, 16_000, tmp_path / "two")
    wait_for(lambda: apart.pid is None)


def test_closing_ends_it_and_needs_none(left: Path, tmp_path: Path) -> None:
    apart = Apart()
    apart.close()
    apart.join(left, 16_000, left, 16_000, tmp_path / "both")
    pid = apart.pid
    assert pid is not None
    apart.close()
    assert not is_alive(pid)


def test_the_child_ends_with_its_parent(left: Path, tmp_path: Path) -> None:
    order = Order("join", str(tmp_path / "both"), str(left), 16_000, str(left), 16_000)
    lines = msgspec.json.encode(order) + b"\n"
    command = [sys.executable, "-m", "sayso.audio.pairing"]
    done = subprocess.run(command, input=lines, capture_output=True, check=True, timeout=PATIENCE_S)
    assert msgspec.json.decode(done.stdout, type=Outcome) == Outcome()
    assert (tmp_path / "both").exists()


def test_an_order_is_done_or_says_why_not(left: Path, tmp_path: Path) -> None:
    def order(work: str, file: Path, source: Path) -> Order:
        told = {"work": work, "file": str(file), "left": str(source), "left_hz": 16_000}
        return msgspec.convert({**told, "right": str(left), "right_hz": 24_000}, Order)

    assert perform(order("join", tmp_path / "both", left)) == Outcome()
    assert perform(order("split", left, tmp_path / "a")).trouble == "audio"
    assert perform(order("join", tmp_path / "both", tmp_path)).trouble == "system"
    assert perform(order("split", tmp_path / "both", tmp_path / "a")) == Outcome()
