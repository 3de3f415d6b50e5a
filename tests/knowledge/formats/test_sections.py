"""Headings become titles, rows can be understood alone."""

from __future__ import annotations

import pytest

from papers import texts
from sayso.knowledge.formats.sections import MAX_HEADING_CHARS, Sections, can_head, spell_rows
from sayso.knowledge.passages import Page


def run(*steps: tuple[int, str], root: str = "") -> list[Page]:
    """Headings are steps with a level, lines have level 0."""
    sections = Sections(root)
    pages: list[Page] = []
    for level, text in steps:
        if level:
            pages += sections.heading(level, text)
        else:
            sections.line(text)
    return [*pages, *sections.end()]


def test_a_title_is_the_path_of_headings() -> None:
    pages = run((0, "before"), (1, "A"), (0, "a"), (2, "B"), (0, "b"), (2, "C"), (0, "c"), (1, "D"))
    assert texts(pages) == [("", "before"), ("A", "a"), ("A › B", "b"), ("A › C", "c"), ("", "D")]


def test_a_heading_over_headings_is_in_their_titles_only() -> None:
    assert texts(run((1, "A"), (2, "B"), (0, "b"))) == [("A › B", "b")]


def test_a_heading_over_nothing_is_text() -> None:
    assert texts(run((1, "A"), (2, "B"), (2, "C"))) == [("A", "B"), ("A", "C")]


def test_levels_may_be_skipped() -> None:
    assert texts(run((3, "A"), (0, "a"), (1, "B"), (0, "b"))) == [("A", "a"), ("B", "b")]


def test_the_root_stands_above_unless_it_is_a_heading() -> None:
    assert texts(run((0, "a"), (1, "B"), (0, "b"), root="R")) == [("R", "a"), ("R › B", "b")]
    assert texts(run((1, "R"), (0, "a"), root="R")) == [("R", "a")]


def test_empty_things_change_nothing_and_long_headings_are_cut() -> None:
    assert run((1, "  "), (0, " ")) == []
    assert texts(run((1, "x" * 999), (0, "a"))) == [("x" * MAX_HEADING_CHARS, "a")]


def test_rows_name_their_columns() -> None:
    rows = [["Boat", "Price"], ["Anna", " 12\neuros"], ["Otto", ""], ["", ""], ["A", "B", "C"]]
    assert spell_rows(rows, headed=True) == [
        "Boat: Anna; Price: 12 euros",
        "Boat: Otto",
        "Boat: A; Price: B; C",
    ]


def test_two_columns_without_a_header_are_names_and_values() -> None:
    assert spell_rows([["Monday", "9 to 5"], ["Tuesday", ""]], headed=False) == [
        "Monday: 9 to 5",
        "Tuesday",
    ]


@pytest.mark.parametrize(
    ("head", "column"),
    [("Shift", "Begins"), ("Dish", "Price"), ("Room", "Rate (per night)"), ("Boat", "price in €")],
)
def test_a_header_nobody_marked_names_a_column_of_figures(head: str, column: str) -> None:
    rows = [[head, column], ["Early", "05:45"], ["Late", "14:15"]]
    assert spell_rows(rows, headed=False) == [
        f"{head}: Early; {column}: 05:45",
        f"{head}: Late; {column}: 14:15",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["Monday", "closed"], ["Tuesday", "9 to 5"], ["Friday", "9 to 2"]],
        [["Owner", "Ann"], ["Phone", "0123"], ["Fax", "0124"]],
        [["Table 1", "Price"], ["Soup", "3"], ["Stew", "4"]],
        [["Dish", "Price"], ["Soup", "3"], ["Stew", "ask us"]],
        [["Dish", "Price"], ["Soup", "3"]],
    ],
)
def test_where_it_is_not_sure_rows_are_names_and_values(rows: list[list[str]]) -> None:
    assert spell_rows(rows, headed=False) == [f"{name}: {value}" for name, value in rows]


def test_other_rows_are_their_cells() -> None:
    assert spell_rows([["a", "b", "c"]], headed=False) == ["a; b; c"]
    assert spell_rows([["a", "b", "c"]], headed=True) == ["a; b; c"]
    assert spell_rows([], headed=True) == []


def test_what_can_name_columns() -> None:
    assert can_head(["a", "b", ""])
    assert not can_head(["a"])
    assert not can_head(["a", "a"])
    assert not can_head(["a", "1,200.50 €"])
