"""What holds for every test: in CI nothing is skipped for want of a package; logs are put back."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import speech
from postgres import Cluster, find_programs, running_postgres
from sayso.errors import InstallationError
from sayso.models import locate, read_manifest

CHROMIUM = "/usr/bin/chromium"
FFMPEG = "/usr/bin/ffmpeg"
ROOT = Path(__file__).parents[1]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
OFFICIAL = ROOT / "widget/official-client/node_modules/@play-ai/agent-web-sdk"


def pytest_sessionstart() -> None:
    """In CI, say at once what is missing: a skipped test proves nothing."""
    if os.environ.get("CI") and (missing := _list_missing()):
        pytest.exit(f"CI needs {', '.join(missing)}; .ci/run installs it", returncode=1)


def pytest_collection_finish() -> None:
    """Let the collector leave alone what stays: all tests and modules, 700,000 objects.

    Each full collection would look at them, in 0.3 s; some tests ask for one, others fill memory.
    """
    gc.collect()
    gc.freeze()


def _list_missing() -> list[str]:
    files = (CHROMIUM, FFMPEG, AXE, OFFICIAL)
    missing = [str(path) for path in files if not Path(path).exists()]
    if find_programs() is None:
        missing.append("PostgreSQL")
    if not (speech.prompts() and speech.readings()):
        missing.append("recorded speech")
    try:
        for entry in read_manifest()[0]:
            locate(entry.name)
    except InstallationError as error:
        missing.append(str(error))
    return missing


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: what they recorded as `told`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster for all tests of this process."""
    if find_programs() is None:
        pytest.skip("needs the Debian package postgresql")
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgres"])
def both_databases(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Runs a test twice: with the default, SQLite in its data folder, and with PostgreSQL.

    Every server of one test then has the same PostgreSQL database, as every one has in one folder.
    """
    if request.param == "sqlite":
        yield "sqlite"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.make()
    monkeypatch.setenv("SAYSO_DATABASE_URL", url)
    yield "postgres"
    cluster.drop(url)


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Puts logs back after a test that sets them up: those that follow are in the same process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
