"""The judge that leaves it to the words: no model, no cost."""

from __future__ import annotations

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig


class Rules:
    """The engine; see `sayso.eot.Eot`. The rules themselves are in `talk/endpointing.py`."""

    def __init__(self, config: EngineConfig) -> None:
        """Take the configuration every engine takes; there is nothing to configure."""

    async def open(self) -> None:
        """Nothing to load."""

    async def judge(self, samples: Samples) -> float | None:  # noqa: ARG002
        """Say nothing about the sound."""
        return None

    async def close(self) -> None:
        """Nothing to let go of."""
