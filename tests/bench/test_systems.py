from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import systems
from child import ChildError
from script import ModelTimes
from systems import FLOOR, PEERS, SAYSO, describe, find_peers, install, is_installed, launch


class Shell:
    """Remembers what it was to run; refuses from the `fails_at`-th command on."""

    def __init__(self, error: Exception | None = None) -> None:
        self.commands: list[Sequence[str]] = []
        self._error = error

    def __call__(self, command: Sequence[str]) -> None:
        self.commands.append(command)
        if self._error:
            raise self._error
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setattr(systems, "HERE", tmp_path / "bench")


def test_a_peer_is_installed_once() -> None:
    lines: list[str] = []
    shell = Shell()
    assert find_peers(lines.append, shell) == list(PEERS)
    assert len(shell.commands) == 2 * len(PEERS)
    assert all(command[:3] == [sys.executable, "-m", "uv"] for command in shell.commands)
    assert [line.split()[1] for line in lines] == [peer.version for peer in PEERS]
    assert find_peers(lines.append, Shell(RuntimeError("asked again"))) == list(PEERS)


def test_a_peer_is_installed_anew_when_its_requirements_change(tmp_path: Path) -> None:
    changed = tmp_path / "requirements.txt"
    changed.write_text("pipecat-ai==1.0\n")
    peer = replace(PEERS[0], requirements=changed)
    install(peer, Shell())
    assert is_installed(peer)
    changed.write_text("pipecat-ai==2.0\n")
    assert not is_installed(peer)


def test_a_peer_that_cannot_be_installed_is_left_out_in_a_line() -> None:
    lines: list[str] = []
    refused = subprocess.CalledProcessError(1, "uv", stderr="Resolving\nno such package\n")
    assert find_peers(lines.append, Shell(refused)) == []
    assert [line for line in lines if "left out" in line] == [
        f"{peer.version} is left out, it cannot be installed: no such package" for peer in PEERS
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (subprocess.CalledProcessError(1, "uv", stderr=""), "CalledProcessError"),
        (FileNotFoundError("no uv"), "no uv"),
        (subprocess.CalledProcessError(1, "uv"), "CalledProcessError"),
    ],
)
def test_every_refusal_has_words(error: Exception, expected: str) -> None:
    assert describe(error) == expected


def test_every_requirement_of_a_peer_is_pinned() -> None:
    for peer in PEERS:
        assert peer.requirements
        lines = peer.requirements.read_text("utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith("#")]
        assert all("==" in line for line in wanted)
        assert peer.version in wanted
        assert peer.script.is_file()


def test_sayso_and_the_floor_run_in_this_environment() -> None:
    assert FLOOR.python == SAYSO.python == sys.executable
    assert (FLOOR.version, SAYSO.version) == ("floor", "sayso")
    assert PEERS[0].python != sys.executable


async def test_a_peer_is_told_the_script(tmp_path: Path) -> None:
    told = tmp_path / "tell.py"
    told.write_text("import sys\nsys.exit(' '.join(sys.argv[1:]))\n")
    peer = replace(PEERS[0], script=told, requirements=None)
    with pytest.raises(ChildError, match=r"--llm http://x$"):
        async with launch(peer, "http://x", tmp_path, ModelTimes()):
            pass
    sayso = replace(SAYSO, script=told)
    with pytest.raises(ChildError, match="--llm http://x"):
        async with launch(sayso, "http://x", tmp_path, ModelTimes()):
            pass
