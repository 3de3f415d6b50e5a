"""What a passage's meaning is taken from."""

from __future__ import annotations

from sayso.knowledge.passages import BETWEEN, list_headings, text_to_embed


def test_a_passage_is_embedded_under_its_whole_path_of_headings() -> None:
    title = BETWEEN.join(("The Handbook", "Boats", "Prices"))
    assert text_to_embed(title, "Anna: 9 euros") == "The Handbook, Boats, Prices: Anna: 9 euros"


def test_without_headings_it_is_embedded_as_it_is() -> None:
    assert text_to_embed("", "Anna: 9 euros") == "Anna: 9 euros"


def test_a_heading_counts_where_one_passage_stands_under_it() -> None:
    long, short = BETWEEN.join(("Boats", "Prices")), BETWEEN.join(("Boats", "Deposit"))
    assert list_headings([long, long, short, "Boats"]) == ["", "", "Deposit", "Boats"]
    assert list_headings([]) == []


def test_the_same_heading_in_two_places_is_two_headings() -> None:
    titles = [BETWEEN.join((one, "Prices")) for one in ("Boats", "Bicycles")]
    assert list_headings(titles) == ["Prices", "Prices"]


def test_a_passage_without_a_title_has_no_heading() -> None:
    assert list_headings([""]) == [""]
