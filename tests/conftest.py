"""What holds for every test: in CI nothing is skipped for want of a package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import speech
from sayso.errors import InstallationError
from sayso.models import locate, read_manifest

CHROMIUM = "/usr/bin/chromium"
FFMPEG = "/usr/bin/ffmpeg"


def pytest_sessionstart() -> None:
    """In CI, say at once what is missing: a skipped test proves nothing."""
    if os.environ.get("CI") and (missing := _list_missing()):
        pytest.exit(f"CI needs {', '.join(missing)}; .ci/run installs it", returncode=1)


def _list_missing() -> list[str]:
    missing = [path for path in (CHROMIUM, FFMPEG) if not Path(path).exists()]
    if not (speech.prompts() and speech.readings()):
        missing.append("recorded speech")
    try:
        for entry in read_manifest()[0]:
            locate(entry.name)
    except InstallationError as error:
        missing.append(str(error))
    return missing
