"""A server in its own process, on its own core: starts it, asks what it costs, ends it.

The child prints one line of JSON when it serves (`{"url": ...}`), answers every line it is sent
with one about its cost, and ends when its standard input does. So a parent that dies, however it
dies, takes its children with it; and whatever happens, a child ends after its lifetime.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

SERVER_CORE, CALLERS_CORE = 0, 1
LIFETIME_S = 3600.0
START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 30.0
COUNT_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has used: CPU seconds so far; the rest is what it has now.

    Attributes:
        cpu_s: CPU of all its threads, and of its children.
        resident_bytes: memory, its children's too.
        children_bytes: that of its children.
        descriptors: open files and sockets; 0 where there is no /proc.
        tasks: asyncio tasks; 0 where nobody knows.
    """

    cpu_s: float
    resident_bytes: int
    children_bytes: int = 0
    descriptors: int = 0
    tasks: int = 0


class ChildError(Exception):
    """A child did not start, answer or end; the message says why."""


def pin(core: int) -> int | None:
    """Keep this process on the `core`-th processor it may use; None where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    chosen = allowed[core % len(allowed)]
    os.sched_setaffinity(0, {chosen})
    return chosen


def measure(loop: asyncio.AbstractEventLoop | None = None) -> Cost:
    """What this process has cost so far; its tasks are those of `loop`, in another thread."""
    tasks = count_tasks(loop) if loop is not None else 0
    cpu_s, held_bytes = cost_of_children()
    return Cost(
        cpu_s=time.process_time() + cpu_s,
        resident_bytes=resident_bytes() + held_bytes,
        children_bytes=held_bytes,
        descriptors=count_descriptors(),
        tasks=tasks,
    )


def cost_of_children() -> tuple[float, int]:
    """CPU seconds of our children and theirs, those that ended too, and the memory of the living.

    Nothing where there is no /proc, but for the CPU of those that ended.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s, held_bytes, family = ended.ru_utime + ended.ru_stime, 0, {os.getpid()}
    ticks, page_bytes = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for pid in sorted(int(path.name) for path in Path("/proc").glob("[0-9]*")):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) in family:
            family.add(pid)
            cpu_s += sum(int(field) for field in fields[11:15]) / ticks
            held_bytes += int(fields[21]) * page_bytes
    return cpu_s, held_bytes


def count_descriptors() -> int:
    """Files and sockets this process has open; 0 where there is no /proc."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) - 1 if folder.exists() else 0  # less the one that reads


def count_tasks(loop: asyncio.AbstractEventLoop) -> int:
    """Tasks of a running `loop` of another thread."""

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1  # less this one

    return asyncio.run_coroutine_threadsafe(count(), loop).result(COUNT_TIMEOUT_S)


def resident_bytes() -> int:
    """Memory this process holds; its highest so far where there is no /proc."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# In the child ------------------------------------------------------------------------------


def obey_parent(
    url: str,
    stop: Callable[[], None],
    *,
    loop: asyncio.AbstractEventLoop | None = None,
    lifetime_s: float = LIFETIME_S,
) -> None:
    """Say that we serve at `url`; then answer the parent, and `stop` when it is gone.

    `loop` is where we serve, if its tasks are to be counted.
    """
    _limit_life(lifetime_s)
    print(json.dumps({"url": url}), flush=True)
    threading.Thread(target=_answer, args=(stop, loop), daemon=True).start()


def _answer(stop: Callable[[], None], loop: asyncio.AbstractEventLoop | None) -> None:
    for _ in sys.stdin:
        print(json.dumps(asdict(measure(loop))), flush=True)
    stop()
    _limit_life(END_TIMEOUT_S)


def _limit_life(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


# In the parent -----------------------------------------------------------------------------


class Child:
    """A running server. Made by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.url = ""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def await_start(self) -> None:
        """Wait until it serves. Raises ChildError."""
        self.url = str((await self._read_line(START_TIMEOUT_S))["url"])

    async def cost(self) -> Cost:
        """Ask what it has used. Raises ChildError."""
        if self._process.stdin is None:
            raise ChildError("the server has no standard input")
        self._process.stdin.write(b"cost\n")
        return Cost(**await self._read_line(ANSWER_TIMEOUT_S))  # type: ignore[arg-type]

    async def _read_line(self, within_s: float) -> dict[str, object]:
        if self._process.stdout is None:
            raise ChildError("the server has no standard output")
        try:
            async with asyncio.timeout(within_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ChildError(
                f"the server said nothing within {within_s:g} s{self._end()}"
            ) from None
        if not line:
            raise ChildError(f"the server ended{self._end()}")
        answer: dict[str, object] = json.loads(line)
        return answer

    def _end(self) -> str:
        """The last lines of its log."""
        return ":\n" + "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-15:])

    async def end(self) -> None:
        """Close its standard input and wait for its end; kill it if it will not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def start(
    script: Path, args: Sequence[str], log: Path, python: str = sys.executable
) -> AsyncGenerator[Child]:
    """Run a Python `script` as a child, its complaints in `log`. Raises ChildError."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            python,
            str(script),
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    child = Child(process, log)
    try:
        await child.await_start()
        yield child
    finally:
        await child.end()
