from __future__ import annotations

from math import nan

from documents import ROOT
from figures import Row
from page import BODY, write_page, write_rows
from plan import Plan
from systems import PEERS

ROWS = [Row("a, ms", {"floor": 1.0, "sayso": 2.0, "peer": 5.0}, 1), Row("b", {"sayso": 3.0}, 0)]
NAMES = ["floor", "sayso", "peer"]


def test_the_table_has_a_cell_for_everything() -> None:
    head, rule, first, second = write_rows(ROWS, NAMES).splitlines()
    assert head == "|  | floor | sayso | peer | sayso / floor | peer / sayso |"
    assert rule == "| --- | --: | --: | --: | --: | --: |"
    assert first == "| a, ms | 1.0 | 2.0 | 5.0 | 2.0 | 2.5 |"
    assert second == "| b | – | 3 | – | – | – |"


def test_what_is_not_a_number_is_a_dash() -> None:
    assert "| a | – |" in write_rows([Row("a", {"floor": nan}, 0)], ["floor"])


def test_the_page_says_when_where_what_and_what_went_wrong() -> None:
    page = write_page("1 May 2026", ["Two cores."], ["peer==1"], ROWS, NAMES, ["peer: 2 gaps."], 3)
    assert page.startswith("# Benchmarks\n")
    for part in ("1 May 2026", "Two cores.", "Measured: peer==1.", "| a, ms |", "- peer: 2 gaps."):
        assert part in page
    assert "in every run of 3." in page.replace("\n  ", " ")
    assert "## What could not be compared" in page


def test_a_page_without_complaints_has_no_list_of_them() -> None:
    page = write_page("1 May 2026", [], [], ROWS, NAMES, [], 1)
    table, _, after = page.partition("| b |")
    assert table
    assert after.splitlines()[1] == ""
    assert after.splitlines()[2].startswith("Times are of single turns")


def test_the_recorded_page_says_how_it_is_measured_now() -> None:
    page = (ROOT / "docs/reference/benchmarks.md").read_text("utf-8")
    assert page.endswith(BODY.format(runs=Plan().ladder_runs)), "record it anew, see its first line"
    assert all(peer.version in page for peer in PEERS)
