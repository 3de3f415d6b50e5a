"""One file for each format that can be read; each turns a `Source` into pages.

They run in the child only (`parse.py`): whatever a hostile document does to them, it does there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from sayso.errors import ReadCode, ReadError
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.passages import Page

Told: TypeAlias = Callable[[int, int | None, str], None]
"""Told how far reading is: done, of how many (None: not known), and a note or ""."""


@dataclass(frozen=True, slots=True)
class Source:
    """One document to read: its open file, seekable, and what to call it in sentences."""

    file: BinaryIO
    name: str
    limits: ReadLimits
    told: Told = lambda _done, _of, _note: None

    def damaged(self, what: str = "") -> ReadError:
        """The error of a file that is not what its kind promises."""
        return ReadError(
            f"{self.name} is damaged{f': {what}' if what else ''}.",
            code=ReadCode.DAMAGED,
            hint="Open it where it was made, save it anew, and upload it again.",
        )

    def too_long(self, what: str, hint: str = "Split it into several documents.") -> ReadError:
        """The error of a document with more in it than is taken."""
        return ReadError(
            f"{self.name} is too long: {what}.",
            code=ReadCode.TOO_LONG,
            hint=hint,
        )

    def swollen(self, what: str, code: ReadCode) -> ReadError:
        """The error of a document that unpacks to far more than it is, as no honest one does."""
        return ReadError(
            f"{self.name} unpacks to far more than it is: {what}.",
            code=code,
            hint="Open it where it was made, save it anew, and upload that; if it stays so large, "
            "upload its text or a PDF of it.",
        )

    def locked(self) -> ReadError:
        """The error of a document that needs a password."""
        return ReadError(
            f"{self.name} is protected by a password.",
            code=ReadCode.ENCRYPTED,
            hint="Save a copy without a password and upload that.",
        )


Reader: TypeAlias = Callable[[Source], Iterable[Page]]
