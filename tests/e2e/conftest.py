"""The servers of the conversation tests: one with real ears and a real voice, one rehearsed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import speech
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate
from served import REHEARSED, Served, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs recordings or models where there are none, and say which."""
    missing = _what_is_missing()
    for item in items:
        if missing and item.get_closest_marker("speech"):
            item.add_marker(pytest.mark.skip(reason=missing))


def _what_is_missing() -> str | None:
    if not speech.prompts():
        return "needs the Debian package asterisk-core-sounds-en-g722"
    try:
        locate("moonshine-tiny-en-encoder.ort", MODELS_DIR)
    except InstallationError:
        return "needs the bundled models (`make models`)"
    return None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server with the bundled engines for the whole session: loading them takes seconds."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server whose speech engines follow a script: for behaviour, not for speech."""
    with serving(tmp_path_factory.mktemp("rehearsed"), **REHEARSED) as server:
        yield server
