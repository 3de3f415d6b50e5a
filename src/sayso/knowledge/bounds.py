"""How much a document may ask of the machine that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the reading child imports this file, and must stay light
    from sayso.config import Settings

MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits for reading one document; `config.py` says why each is what it is.

    `memory_mib` is kept by Linux only: macOS has no limit on address space that it enforces, so
    that a document there is held by the other limits alone.
    `max_inflated_bytes` is what one packed part of a DOCX may unpack to.
    `max_pieces` counts sections, rows and pages together, whatever the format.
    """

    max_bytes: int = 25 * MIB
    max_pages: int = 2_000
    max_chars: int = 5_000_000
    max_pieces: int = 20_000
    max_inflated_bytes: int = 64 * MIB
    wall_s: float = 600.0
    cpu_s: int = 120
    memory_mib: int = 512

    @classmethod
    def of(cls, settings: Settings) -> ReadLimits:
        """The operator's limits."""
        return cls(
            max_bytes=settings.max_document_bytes,
            max_pages=settings.max_document_pages,
            max_chars=settings.max_document_chars,
            wall_s=settings.read_timeout_s,
            cpu_s=settings.read_cpu_s,
            memory_mib=settings.read_memory_mib,
        )
