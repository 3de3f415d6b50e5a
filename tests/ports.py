"""Ports for servers that are told theirs: programs of the guides, started by a shell."""

from __future__ import annotations

import socket
from random import SystemRandom

FREE = range(10_000, 30_000)
"""Below the ports that systems hand out on their own: tests that run beside this one take those."""
TRIES = 100


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    for _ in range(TRIES):
        port = SystemRandom().choice(FREE)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError(f"none of {TRIES} ports is free")
