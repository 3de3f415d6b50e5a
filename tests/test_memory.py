"""What a process does with its memory once everything is loaded."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from child import resident_bytes
from sayso.memory import settle

MIB = 2**20
BLOCK_BYTES = 64 * 1024


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_stays_is_not_looked_at_again() -> None:
    kept = [Ring()]
    settle()
    assert gc.get_freeze_count() > 1000
    assert not any(one is kept[0] for one in gc.get_objects())
    assert len(gc.get_objects(generation=2)) < gc.get_freeze_count() / 10


def test_garbage_is_not_set_aside() -> None:
    left = weakref.ref(Ring())
    settle()
    assert left() is None


def test_what_comes_later_is_collected_as_ever() -> None:
    settle()
    later = weakref.ref(Ring())
    gc.collect()
    assert later() is None


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_free_memory_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK_BYTES) for _ in range(800)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK_BYTES)
    for block in blocks[:-1]:  # the last one keeps the rest from being the end of the heap
        libc.free(block)
    held = resident_bytes()
    settle()
    libc.free(blocks[-1])
    assert held - resident_bytes() > 30 * MIB


LARGE = """
import ctypes
from child import resident_bytes
from sayso.memory import settle

settle()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
before = resident_bytes()
for _ in range(3):  # by itself, glibc keeps it from the second time on
    block = library.malloc(12 * 2**20)
    ctypes.memset(block, 1, 12 * 2**20)
    library.free(block)
print(resident_bytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_what_is_large_is_never_kept_for_later() -> None:
    # In a process of its own: nobody else takes memory meanwhile.
    command = [sys.executable, "-c", LARGE]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=paths, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 3 * MIB


def test_a_library_that_cannot_be_asked_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    settle()
