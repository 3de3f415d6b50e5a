"""The child that joins and splits tracks, `python -m sayso.audio.pairing`: started by `apart.py`.

Each line of its standard input is an `Order`, each line it prints the `Outcome`, both as JSON. It
ends when its standard input does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from sayso.audio import pair
from sayso.audio.apart import Order, Outcome
from sayso.errors import AudioError
from sayso.memory import give_back, settle

NICENESS = 19
"""The lowest priority: calls come first."""


def main() -> None:
    """Do what is asked, an order at a time.

    An encoder takes 7 MiB for a while. Unless it is told, glibc keeps two or three times that, and
    in thousands of recordings 4 MiB more, in pieces.
    """
    settle()
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    while line := sys.stdin.buffer.readline():
        outcome = perform(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()
        give_back()


def perform(order: Order) -> Outcome:
    """Do it; what goes wrong is told."""
    left = pair.RawTrack(Path(order.left), order.left_hz)
    right = pair.RawTrack(Path(order.right), order.right_hz)
    try:
        if order.work == "join":
            pair.join(left, right, Path(order.file))
        else:
            pair.split(Path(order.file), left, right)
    except AudioError as error:
        return Outcome("audio", error.message)
    except OSError as error:
        return Outcome("system", str(error))
    return Outcome()


if __name__ == "__main__":
    main()
