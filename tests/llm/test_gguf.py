from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from llama import find_weights, what_is_missing
from processes import is_alive
from sayso.config import Settings
from sayso.errors import InstallationError
from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.gguf import COMPLAINT_LINES, Gguf, check_weights, find_port, make_gguf, use_gguf

SERVES = """
import json, os, sys
told = json.loads(sys.stdin.readline())
assert told["port"] > 0 and len(told["key"]) > 20
with open(sys.argv[1] + ".pids", "a") as file:
    file.write(f"{os.getpid()}\\n")
print("ready", flush=True)
sys.stdin.read()
"""
FAILS = "import sys\nfor n in range(99): print(f'line {n}', file=sys.stderr)\nsys.exit(3)"
STUBBORN = SERVES + "\nimport time\ntime.sleep(600)"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


@asynccontextmanager
async def running(weights: Path, script: str) -> AsyncGenerator[Gguf]:
    gguf = Gguf(weights, program=(sys.executable, "-c", script), first_rest_s=0.0)
    await gguf.open()
    try:
        yield gguf
    finally:
        await gguf.close()


def pids(weights: Path) -> list[int]:
    path = Path(f"{weights}.pids")
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)


async def test_it_runs_and_ends_with_us(weights: Path) -> None:
    async with running(weights, SERVES) as gguf:
        (pid,) = pids(weights)
        assert is_alive(pid)
        assert gguf.url.startswith("http://127.0.0.1:")
        assert gguf.key.get_secret_value() not in repr(gguf.__dict__)
    assert not is_alive(pid)


async def test_when_it_dies_it_is_started_again(weights: Path) -> None:
    with capture_logs() as logs:
        async with running(weights, SERVES) as gguf:
            url = gguf.url
            os.kill(pids(weights)[0], signal.SIGKILL)
            await until(lambda: len(pids(weights)) == 2)
            await until(lambda: sum(one["event"] == "builtin_llm_runs" for one in logs) == 2)
            assert gguf.url == url
    assert not any(map(is_alive, pids(weights)))
    assert [one["code"] for one in logs if one["event"] == "builtin_llm_died"] == [-9]


async def test_one_that_does_not_start_again_is_tried_again(weights: Path) -> None:
    once = f"""
import os, sys
if os.path.exists(sys.argv[1] + ".pids") and not os.path.exists(sys.argv[1] + ".failed"):
    open(sys.argv[1] + ".failed", "w").close()
    sys.exit("no memory")
{SERVES}"""
    with capture_logs() as logs:
        async with running(weights, once):
            os.kill(pids(weights)[0], signal.SIGKILL)
            await until(lambda: len(pids(weights)) == 2)
    (told,) = [one for one in logs if one["event"] == "builtin_llm_not_started"]
    assert "no memory" in told["error"]


async def test_why_it_does_not_start_is_told(weights: Path) -> None:
    with pytest.raises(InstallationError, match=r"could not serve tiny\.gguf: line 94") as raised:
        async with running(weights, FAILS):
            pass
    assert raised.value.message.count("line") == COMPLAINT_LINES


async def test_one_that_will_not_end_is_killed(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.llm.gguf.END_S", 0.1)
    async with running(weights, STUBBORN):
        (pid,) = pids(weights)
    assert not is_alive(pid)


async def test_one_that_takes_too_long_is_given_up(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.llm.gguf.START_S", 0.1)
    monkeypatch.setattr("sayso.llm.gguf.END_S", 0.1)
    with pytest.raises(InstallationError, match="said nothing"):
        async with running(weights, "import time; time.sleep(600)"):
            pass


def test_a_file_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    other = tmp_path / "readme.md"
    other.write_text("# Hello")
    with pytest.raises(InstallationError, match="is no GGUF"):
        check_weights(other)
    with pytest.raises(InstallationError, match="cannot be read"):
        check_weights(tmp_path / "nothing.gguf")


async def test_without_the_extra_a_sentence_says_what_to_install(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.llm.gguf.find_spec", lambda _: None)
    with pytest.raises(InstallationError) as raised:
        await Gguf(weights).open()
    assert "sayso[llama]" in (raised.value.hint or "")


def test_ports_are_free_ones() -> None:
    assert 1024 <= find_port() < 65_536


def test_a_gguf_answers_in_the_place_of_an_llm_elsewhere() -> None:
    settings = Settings(builtin_llm_gguf=Path("models/tiny-q4.gguf"))
    gguf = make_gguf(settings)
    assert gguf
    used = use_gguf(settings, gguf)
    assert used.builtin_llm_url == gguf.url
    assert used.builtin_llm_key == gguf.key
    assert used.builtin_llm_model == "tiny-q4"
    assert make_gguf(Settings()) is None


@pytest.mark.parametrize(
    "other", [{"builtin_llm_url": "http://llm.test/v1"}, {"outbound_private": False}]
)
def test_what_contradicts_a_gguf_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(InstallationError, match="SAYSO_BUILTIN_LLM_GGUF"):
        make_gguf(Settings(builtin_llm_gguf=Path("tiny.gguf"), **other))


@pytest.mark.skipif(what_is_missing() is not None, reason=str(what_is_missing()))
async def test_a_real_model_answers() -> None:
    weights = find_weights()
    assert weights
    gguf = Gguf(weights)
    await gguf.open()
    client = LlmClient(Deadlines(first_token_s=60, between_tokens_s=60))
    await client.open()
    try:
        endpoint = Endpoint(gguf.url, gguf.key, temperature=0, max_tokens=5)
        pieces = [p async for p in client.bind(endpoint).reply([Message("user", "Say hello.")])]
        assert "".join(map(str, pieces)).strip()
    finally:
        await client.close()
        await gguf.close()
