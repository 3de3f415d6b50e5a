from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.rows import MAX_CELLS, speak_row


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "Dish: Margherita; Price: 9 euros; Vegan: no",
            "Margherita: price 9 euros, not vegan.",
        ),
        ("Id: 17; Name: Anna Weil; Room: 204", "Anna Weil: id 17, room 204."),
        ("In stock: yes; Article: Bell", "Bell: in stock."),
        ("Size: 46; Price: 89", "46: price 89."),
        ("Name: Bell; Note: -; Colour: ", "Bell."),
        ("Name: Bell; SKU: X1; VAT: yes", "Bell: SKU X1, VAT."),
        ("Time: 9:30; Course: Repair.", "Repair: time 9:30."),
    ],
)
def test_rows_are_said(row: str, said: str) -> None:
    assert speak_row(row) == said


@pytest.mark.parametrize(
    "line",
    [
        "We open at 9: come in.",
        "Two things; both good.",
        "Bring a lock; note: it is required",
        "",
        "a: -; b: -",
    ],
)
def test_other_lines_are_not(line: str) -> None:
    assert speak_row(line) is None


def test_nobody_listens_to_all_of_a_long_row() -> None:
    row = "; ".join(f"column {n}: v{n}" for n in range(40))
    assert (speak_row(row) or "").count(",") == MAX_CELLS - 2


@given(st.text("ab:; .-", max_size=40))
def test_nothing_breaks_it(line: str) -> None:
    said = speak_row(line)
    assert said is None or said.endswith(".")
