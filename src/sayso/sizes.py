"""How large something is, as a person says it: 25 MiB. Pure."""

from __future__ import annotations

from typing import Final

MIB: Final = 1_048_576


def show_bytes(count: int) -> str:
    """`count` bytes, in MiB where that is shorter; the number a setting has stands beside it."""
    if count < MIB:
        return f"{count:,} bytes"
    return f"{count / MIB:,.1f}".removesuffix(".0") + f" MiB ({count} bytes)"
