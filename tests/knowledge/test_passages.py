"""What a passage's meaning is taken from."""

from __future__ import annotations

from sayso.knowledge.passages import BETWEEN, text_to_embed


def test_a_passage_is_embedded_under_its_whole_path_of_headings() -> None:
    title = BETWEEN.join(("The Handbook", "Boats", "Prices"))
    assert text_to_embed(title, "Anna: 9 euros") == "The Handbook, Boats, Prices: Anna: 9 euros"


def test_without_headings_it_is_embedded_as_it_is() -> None:
    assert text_to_embed("", "Anna: 9 euros") == "Anna: 9 euros"
