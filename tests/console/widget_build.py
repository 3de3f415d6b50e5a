"""Builds the widget for tests, once, if it is not built or older than its sources."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

from sayso.console.files import WIDGET

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "widget"
BUILD_WITHIN_S = 300.0


def build_widget() -> None:
    """Make `static/widget/`; skips the test where there is no Node, fails where the build does."""
    if is_current():
        return
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs Node, to build the talk page")
    with (SOURCE / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test files run side by side
        if is_current():
            return
        if not any((place / "node_modules/vite").exists() for place in (SOURCE, ROOT)):
            place = ROOT if (ROOT / "package.json").exists() else SOURCE
            _run(npm, "ci" if (place / "package-lock.json").exists() else "install", where=place)
        _run(npm, "run", "build", where=SOURCE)


def is_current() -> bool:
    """Whether the build is there, and younger than all it is made of."""
    built = WIDGET / "sizes.json"
    sources = [SOURCE / "build.mjs", *(SOURCE / "src").rglob("*.*")]
    newest = max(source.stat().st_mtime for source in sources)
    return built.exists() and built.stat().st_mtime >= newest


def _run(*command: str, where: Path) -> None:
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=BUILD_WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
