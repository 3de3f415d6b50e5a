"""Which sources are small."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sayso.sources.rows import SMALL_BYTES, SMALL_TEXT_BYTES, is_small, new_row
from sayso.sources.schema import SourceKind, State


@pytest.mark.parametrize(
    ("kind", "type_", "size", "small"),
    [
        (SourceKind.FILE, "text", SMALL_TEXT_BYTES, True),
        (SourceKind.FILE, "text", SMALL_TEXT_BYTES + 1, False),
        (SourceKind.FILE, "csv", SMALL_BYTES, False),
        (SourceKind.FILE, "html", SMALL_BYTES, True),
        (SourceKind.FILE, "markdown", SMALL_BYTES, False),
        (SourceKind.FILE, "pdf", SMALL_BYTES, True),
        (SourceKind.FILE, "docx", SMALL_BYTES, True),
        (SourceKind.FILE, "pdf", SMALL_BYTES + 1, False),
        (SourceKind.PAGE, "html", 0, True),
        (SourceKind.SITE, "html", 0, False),
        (SourceKind.TEXT, "text", SMALL_TEXT_BYTES, True),
        (SourceKind.TEXT, "text", SMALL_TEXT_BYTES + 1, False),
    ],
)
def test_what_is_small(kind: SourceKind, type_: str, size: int, small: bool) -> None:
    row = new_row("source", "agent", kind, datetime(2024, 5, 1, tzinfo=UTC))
    row.type, row.bytes = type_, size
    assert is_small(row) is small


def test_a_new_source_waits_and_knows_nothing_yet() -> None:
    now = datetime(2024, 5, 1, tzinfo=UTC)
    row = new_row("source", "agent", SourceKind.FILE, now)
    assert (row.state, row.created_at, row.updated_at, row.notes) == (State.QUEUED, now, now, [])
    assert (row.bytes, row.version, row.live_version, row.passages) == (0, 0, 0, 0)
