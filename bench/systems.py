"""The servers that are measured: Sayso, the floor, and the peers in environments of their own.

A peer's environment is made in `.venv-peers/`, from `peers/<name>/requirements.txt`, the first
time it is measured. Nothing of it is ever in Sayso's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from child import Child, start
from sayso.talk.endpointing import Policy
from script import CALLER_WORDS, ModelTimes
from wire import BARE, PLAYAI, Wire

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".venv-peers"
INSTALL_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class System:
    """One server to measure.

    Attributes:
        name: as the tables head it.
        script: what is run.
        wire: how it and its callers write to each other.
        sentences: whether it gives its TTS whole sentences only.
        interruption_s: speech over a reply after which it is set to stop.
        requirements: what its own environment needs; None for Sayso's.
        package: the package whose version is told.
    """

    name: str
    script: Path
    wire: Wire = PLAYAI
    sentences: bool = False
    interruption_s: float = 0.5
    requirements: Path | None = None
    package: str = ""

    @property
    def environment(self) -> Path:
        """Where its own environment is."""
        return ENVIRONMENTS / self.name

    @property
    def python(self) -> str:
        """The interpreter that runs it."""
        return str(self.environment / "bin/python") if self.requirements else sys.executable

    @property
    def version(self) -> str:
        """The pinned version of a peer, with its name."""
        if self.requirements is None:
            return self.name
        lines = self.requirements.read_text("utf-8").splitlines()
        return next(line for line in lines if line.startswith(f"{self.package}=="))


def _peer(name: str, package: str, *, interruption_s: float) -> System:
    folder = HERE / "peers" / name
    requirements = folder / "requirements.txt"
    return System(name, folder / "server.py", BARE, True, interruption_s, requirements, package)


FLOOR = System("floor", HERE / "floor.py")
SAYSO = System("sayso", HERE / "server.py", interruption_s=Policy().interruption_s)
PEERS = (
    _peer("pipecat", "pipecat-ai", interruption_s=0.2),
    _peer("livekit", "livekit-agents", interruption_s=0.5),
)


def launch(
    system: System, llm_url: str, data: Path, times: ModelTimes
) -> AbstractAsyncContextManager[Child]:
    """Run it until the context ends; its complaints go to a file in `data`."""
    args = ["--llm", llm_url]
    if system is SAYSO:
        args += ["--data", str(data)]
    elif system.requirements:
        script = {"patience_s": times.patience_s, "stt_s": times.stt_s, "tts_s": times.tts_s}
        args += ["--script", json.dumps({**script, "words": CALLER_WORDS})]
    return start(system.script, args, data / f"{system.name}.log", system.python)


Run = Callable[[Sequence[str]], None]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)


def is_installed(system: System) -> bool:
    """Whether its environment is there, as its requirements say."""
    stamp = _stamp(system)
    return stamp.is_file() and stamp.read_text("utf-8") == _wanted(system)


def _stamp(system: System) -> Path:
    return system.environment / ".installed"


def _wanted(system: System) -> str:
    """A mark of what it needs."""
    if system.requirements is None:
        return ""
    return sha256(system.requirements.read_bytes()).hexdigest()


def install(system: System, run: Run = _run) -> None:
    """Make a peer's environment.

    Raises:
        subprocess.SubprocessError, OSError: it cannot be made.
    """
    uv = partial(_uv, run)
    uv("venv", "--clear", "--python", sys.executable, str(system.environment))
    uv("pip", "install", "--python", system.python, "-r", str(system.requirements))
    _stamp(system).write_text(_wanted(system), "utf-8")


def _uv(run: Run, *words: str) -> None:
    run([sys.executable, "-m", "uv", words[0], "--quiet", *words[1:]])


def find_peers(say: Callable[[str], None], run: Run = _run) -> list[System]:
    """The peers that can be measured here; a line about each that cannot."""
    found = []
    for peer in PEERS:
        if is_installed(peer):
            found.append(peer)
            continue
        say(f"Installing {peer.version} in {peer.environment.relative_to(HERE.parent)}, once …")
        try:
            install(peer, run)
        except (subprocess.SubprocessError, OSError) as error:
            say(f"{peer.version} is left out, it cannot be installed: {describe(error)}")
        else:
            found.append(peer)
    return found


def describe(error: Exception) -> str:
    """Why an installation failed, in a line."""
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
