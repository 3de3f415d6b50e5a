from __future__ import annotations

import numpy as np
import pytest

from docstrings import (
    MAX_WORDS,
    MIN_WORDS,
    cut_docstring,
    mix_sentences,
    mix_texts,
    mix_vectors,
    read_docstrings,
)
from sayso.knowledge.sentences import round_off

BODY = " ".join(f"word{n}" for n in range(MIN_WORDS))


def test_the_first_line_asks_and_the_body_answers() -> None:
    one = cut_docstring(f"Return the name of\na thing.\n\n{BODY}\n\nmore")
    assert one
    assert one.query == "Return the name of a thing."
    assert one.text == f"{BODY} more"


def test_long_bodies_are_cut() -> None:
    one = cut_docstring("Return the name of it.\n\n" + "w " * 2 * MAX_WORDS)
    assert one
    assert len(one.text.split()) == MAX_WORDS


@pytest.mark.parametrize(
    "docstring", ["", "Short one.", f"Too short.\n\n{BODY}", "One two three four"]
)
def test_short_ones_are_left_out(docstring: str) -> None:
    assert cut_docstring(docstring) is None


def test_the_same_ones_are_read_each_time() -> None:
    found = read_docstrings(50, package="email")
    assert len({one.text for one in found}) == 50
    assert read_docstrings(50, package="email") == found
    assert read_docstrings(50, seed=2, package="email") != found


def test_all_packages_are_read() -> None:
    assert len(read_docstrings(1000)) == 1000


def test_mixed_texts_are_half_of_each() -> None:
    mixed = mix_texts(["a b c d", "e f g h"], 20)
    assert len(mixed) == 20
    assert (0, 1, "a c f h") in mixed
    assert mix_texts(["a b c d", "e f g h"], 20) == mixed


def test_mixed_vectors_are_near_both() -> None:
    vectors = np.eye(384, dtype=np.float32)[:2]
    mixed = mix_vectors(vectors, [(0, 1)] * 5)
    assert mixed.shape == (5, 384)
    assert mixed.dtype == np.float32
    assert np.allclose(np.linalg.norm(mixed, axis=1), 1.0, atol=1e-5)
    assert (mixed[:, :2] > 0.25).all()


def test_mixed_sentences_are_near_those_of_both() -> None:
    eye = np.eye(384, dtype=np.float32)
    one, none, other = round_off(eye[:2]), None, round_off(eye[2:3])
    first, second = mix_sentences([one, none, other], [(0, 2), (0, 1)])
    assert first is not None
    assert second is None
    near = first[:, :3] > 40
    assert near.tolist() == [[True, False, True], [False, True, True]]
    assert mix_sentences([None], [(0, 0)]) == [None]
