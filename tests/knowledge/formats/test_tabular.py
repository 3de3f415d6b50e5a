"""Each row of a CSV can be understood alone."""

from __future__ import annotations

import pytest

from papers import read_bytes, source_of
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.formats.tabular import MAX_COLUMNS, read_tabular
from sayso.knowledge.passages import Page


def rows(text: str) -> list[Page]:
    return read_bytes(read_tabular, text.encode())


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_whatever_stands_between_cells(mark: str) -> None:
    text = f"Boat{mark}Price\nAnna{mark}12,50\nOtto{mark}9,00\n"
    text = text.replace("12,50", '"12,50"').replace("9,00", '"9,00"') if mark == "," else text
    assert rows(text) == [Page("Boat: Anna; Price: 12,50", 2), Page("Boat: Otto; Price: 9,00", 3)]


def test_excel_says_what_stands_between() -> None:
    assert rows("sep=;\nBoat;Price\nAnna;1,2\n") == [Page("Boat: Anna; Price: 1,2", 2)]


def test_quotes_empty_cells_and_lines_within_a_cell() -> None:
    text = 'Q,A\n"When, then?","At\nnine ""sharp""."\n\nWho?,\n'
    assert rows(text) == [Page('Q: When, then?; A: At nine "sharp".', 2), Page("Q: Who?", 4)]


def test_without_a_header_every_row_is_one() -> None:
    assert rows("1,2\n3,4\n") == [Page("1; 2", 1), Page("3; 4", 2)]


def test_one_column() -> None:
    assert rows("Answer\nYes, indeed.\n") == [Page("Answer: Yes, indeed.", 2)]
    assert rows("We open at nine in the morning.\n") == [Page("We open at nine in the morning.", 1)]


def test_more_cells_than_columns_and_fewer() -> None:
    assert [page.text for page in rows("a,b\n1\n1,2,3\n1,2\n")] == [
        "a: 1",
        "a: 1; b: 2; 3",
        "a: 1; b: 2",
    ]


def test_nothing_gives_nothing() -> None:
    assert rows("\n,,\n") == []


def test_progress_is_told() -> None:
    said: list[int] = []
    source = source_of(b"a,b\n" + b"1,2\n" * 1200)
    object.__setattr__(source, "told", lambda done, _of, _note: said.append(done))
    assert len(list(read_tabular(source))) == 1200
    assert said == [500, 1000]


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        ("a,b\n" + "x" * 1_000_001, ReadCode.DAMAGED, "line 2 is longer than 1,000,000 characters"),
        ('a,b\n"' + "x\n" * 600_000, ReadCode.DAMAGED, "cannot be read as CSV"),
        ("," * MAX_COLUMNS, ReadCode.TOO_LONG, "row 1 has more than 1,000 columns"),
    ],
)
def test_what_is_no_table_is_told(text: str, code: ReadCode, what: str) -> None:
    with pytest.raises(ReadError, match=what) as refused:
        rows(text)
    assert refused.value.code is code
