"""Bytes to text, whatever encoding they are in."""

from __future__ import annotations

import codecs

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65_536
_FULL_OF_ZEROS = 0.4
"""Share of zeros among every other byte of English in UTF-16; in other text it is 0."""


def decode(data: bytes, declared: str = "") -> str:
    """The text of `data`: by its mark, as UTF-16 or UTF-8 if it is that, as `declared`, as Windows.

    Never fails: every byte means something in Windows-1252 as it is used, and what is written in
    another old encoding has at least its digits and Latin letters right.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, errors="replace")
    if wide := _wide(data[:_SAMPLE_BYTES]):
        return data.decode(wide, errors="replace")
    for name in ("utf-8", declared, "cp1252"):
        try:
            if name:
                return data.decode(name)
        except (ValueError, LookupError):  # UnicodeError is the first
            continue
    return data.decode("latin-1")


def _wide(sample: bytes) -> str:
    half = len(sample) // 2
    if half and sample[1::2].count(0) > _FULL_OF_ZEROS * half:
        return "utf-16-le"
    if half and sample[::2].count(0) > _FULL_OF_ZEROS * half:
        return "utf-16-be"
    return ""
