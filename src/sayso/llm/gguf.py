"""Runs the operator's GGUF beside the server, for agents without an LLM (`sayso[llama]`).

    start ─► ready ─► (it dies) ─► rest ─► start ─► ...

The model computes in a child process (`llm/llama.py`), so that whatever it does, sound goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import sys
from collections import deque
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

from sayso.config import Settings
from sayso.errors import InstallationError

START_S: Final = 300.0
"""How long a model may take to load, in seconds: gigabytes from a slow disk."""
END_S: Final = 10.0
"""How long it may take to end, in seconds, before it is killed."""
FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 60.0
"""Rest before it is started again, in seconds; doubled each time it dies soon."""
STEADY_S: Final = 60.0
"""Who ran so long, in seconds, did not die soon."""
COMPLAINT_LINES: Final = 5
"""Last lines of its log that an error quotes."""
MAGIC: Final = b"GGUF"

log = structlog.get_logger("sayso.llm")


class Gguf:
    """A GGUF that is being served.

    Attributes:
        url: where; the same for as long as this object lives, however often it is restarted.
        name: of the model.
        key: what has to be sent with each request: other users of this machine have no business
            there.
    """

    def __init__(
        self, weights: Path, *, program: Sequence[str] = (), first_rest_s: float = FIRST_REST_S
    ) -> None:
        """Choose a port. `program` serves the weights; ours unless given."""
        self.key = SecretStr(secrets.token_urlsafe(24))
        self.name = weights.stem
        self._weights = weights
        self._program = program or (sys.executable, "-m", "sayso.llm.llama")
        self._ours = not program
        self._first_rest_s = first_rest_s
        self._port = find_port()
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: deque[str] = deque(maxlen=COMPLAINT_LINES)
        self._reader: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.url = f"http://127.0.0.1:{self._port}/v1"

    async def open(self) -> None:
        """Start it, and keep it running. Raises InstallationError if it cannot be."""
        check_weights(self._weights)
        if self._ours and find_spec("xllamacpp") is None:
            raise InstallationError(
                "SAYSO_BUILTIN_LLM_GGUF is set, but llama.cpp is not installed",
                hint="Install it with `pip install 'sayso[llama]'`, or unset the variable.",
            )
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End it."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        await self._end()

    async def _start(self) -> None:
        self._complaints.clear()
        self._process = process = await asyncio.create_subprocess_exec(
            *self._program,
            str(self._weights),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None  # noqa: S101 - all three are pipes
        assert process.stdout is not None  # noqa: S101
        self._reader = asyncio.create_task(self._read_complaints(process))
        told = {"port": self._port, "key": self.key.get_secret_value()}
        with contextlib.suppress(ConnectionError):  # whoever is dead already has said why
            process.stdin.write(f"{json.dumps(told)}\n".encode())
            await process.stdin.drain()
        try:
            async with asyncio.timeout(START_S):
                ready = await process.stdout.readline()
        except TimeoutError:
            ready = b""
        if ready.strip() != b"ready":
            await self._end()
            raise InstallationError(
                f"llama.cpp could not serve {self._weights.name}: {self._last_words()}",
                hint="Check SAYSO_BUILTIN_LLM_GGUF, and that there is memory for the model.",
            )
        log.info("builtin_llm_runs", weights=self._weights.name, process=process.pid)

    async def _keep(self) -> None:
        """Start it again whenever it ends."""
        rest_s, loop = self._first_rest_s, asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            process = self._process
            code = await process.wait() if process is not None else None
            if loop.time() - began_s >= STEADY_S:
                rest_s = self._first_rest_s
            log.error("builtin_llm_died", code=code, rest_s=rest_s, last_words=self._last_words())
            await self._end()
            await asyncio.sleep(rest_s)
            rest_s = min(LONGEST_REST_S, 2 * rest_s)
            try:
                await self._start()
            except InstallationError as error:
                log.warning("builtin_llm_not_started", error=error.message)

    async def _end(self) -> None:
        """End the process that is running, if one is; whatever is left of it."""
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if reader is not None:
            await asyncio.wait([reader])

    async def _read_complaints(self, process: asyncio.subprocess.Process) -> None:
        """Keep the last lines of its log; a full pipe would stop it."""
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        rest = b""
        while piece := await process.stderr.read(65_536):
            *lines, rest = (rest + piece)[-65_536:].split(b"\n")
            self._complaints += [line.decode(errors="replace").strip() for line in lines if line]
        if rest:
            self._complaints.append(rest.decode(errors="replace").strip())

    def _last_words(self) -> str:
        return " | ".join(self._complaints) or "it said nothing"


def make_gguf(settings: Settings) -> Gguf | None:
    """The model the operator runs beside the server, if there is one.

    Raises:
        InstallationError: another setting contradicts it.
    """
    if settings.builtin_llm_gguf is None:
        return None
    if settings.builtin_llm_url:
        raise InstallationError(
            "SAYSO_BUILTIN_LLM_GGUF and SAYSO_BUILTIN_LLM_URL are both set",
            hint="Unset one: only one LLM answers for agents without an `llm`.",
        )
    if not settings.outbound_private:
        raise InstallationError(
            "SAYSO_BUILTIN_LLM_GGUF is served on 127.0.0.1, which SAYSO_OUTBOUND_PRIVATE=false "
            "forbids to call",
            hint="Run the model on another machine, and name it in SAYSO_BUILTIN_LLM_URL.",
        )
    return Gguf(settings.builtin_llm_gguf)


def use_gguf(settings: Settings, gguf: Gguf) -> Settings:
    """`settings` with the served model in the place of an LLM elsewhere."""
    model = settings.builtin_llm_model or gguf.name
    own = {"builtin_llm_url": gguf.url, "builtin_llm_key": gguf.key, "builtin_llm_model": model}
    return settings.model_copy(update=own)


def check_weights(weights: Path) -> None:
    """Look whether this is a GGUF at all. Raises InstallationError."""
    try:
        with weights.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise InstallationError(
            f"the model that SAYSO_BUILTIN_LLM_GGUF names cannot be read: {error}",
            hint="Give it the path of a file that this user may read.",
        ) from error
    if magic != MAGIC:
        raise InstallationError(
            f"{weights.name}, which SAYSO_BUILTIN_LLM_GGUF names, is no GGUF",
            hint="Convert the model with llama.cpp, or use one that ends in .gguf.",
        )


def find_port() -> int:
    """A port of this machine's own address that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
