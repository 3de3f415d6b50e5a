"""The program that serves a GGUF: llama.cpp's OpenAI-style server, in a process of its own.

    python -m sayso.llm.llama /path/model.gguf

It reads one line of JSON (`{"port": ..., "key": ...}`; a key on the command line could be read by
anybody on the machine), prints `ready` once the model is loaded, and ends with its standard input.
Conversations go first: it is niced, and leaves them a core.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Final

NICENESS: Final = 5
CONTEXT_TOKENS: Final = 16_384
"""Tokens of all conversations together; what is kept of one is a few bytes to a few KiB a token."""
CALLERS: Final = 2
"""Conversations answered at the same time; others wait their turn."""
END_S: Final = 5.0
"""How long it may take to end, in seconds, before it is ended."""


def serve(weights: str) -> None:
    """Serve until standard input ends."""
    import xllamacpp  # noqa: PLC0415 - the extra `llama`

    told = json.loads(sys.stdin.readline())
    os.nice(NICENESS)
    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.offline = True
    params.hostnames, params.port = ["127.0.0.1"], told["port"]
    params.api_keys = [told["key"]]
    params.n_ctx, params.n_parallel = CONTEXT_TOKENS, CALLERS
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 1) - 1)
    server = xllamacpp.Server(params)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    end = threading.Timer(END_S, os._exit, (0,))
    end.daemon = True
    end.start()
    del server


if __name__ == "__main__":
    serve(sys.argv[1])
