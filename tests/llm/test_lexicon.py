from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sayso.errors import InstallationError
from sayso.llm import lexicon as module
from sayso.llm.grounds import Near
from sayso.llm.lexicon import NEAREST, Lexicon
from sayso.models import locate

KNOWN = ["dogs", "lift", "bicycle", "euros", "trains", "repair"]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    try:
        locate("minilm.onnx")
    except InstallationError as missing:
        pytest.skip(str(missing))
    return Lexicon()


@pytest.mark.parametrize(
    ("word", "near"),
    [("puppy", "dogs"), ("bike", "bicycle"), ("railway", "trains"), ("fix", "repair")],
)
def test_words_with_one_meaning_are_near(lexicon: Lexicon, word: str, near: str) -> None:
    (found,) = lexicon.compare([word], KNOWN)
    assert found.words[0] == near
    assert found.closeness > 0.4
    assert len(found.words) == NEAREST


@pytest.mark.parametrize("word", ["turnover", "password", "penguin"])
def test_words_with_another_are_far(lexicon: Lexicon, word: str) -> None:
    assert lexicon.compare([word], KNOWN)[0].closeness < 0.28


def test_a_word_is_itself(lexicon: Lexicon) -> None:
    found = lexicon.compare(["dogs", "lift"], KNOWN)
    assert [one.words[0] for one in found] == ["dogs", "lift"]
    assert found[0].closeness == pytest.approx(1.0)


def test_signs_without_pieces_are_near_to_nothing(lexicon: Lexicon) -> None:
    assert lexicon.compare([" "], KNOWN)[0].closeness == 0.0


def test_where_nothing_is_known_nothing_is_near() -> None:
    assert Lexicon().compare(["tea"], []) == [Near(-1.0, ())]
    assert Lexicon().compare([], KNOWN) == []


def test_few_words_are_kept(lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    forgetful = Lexicon()
    assert forgetful.compare(["puppy"], KNOWN) == lexicon.compare(["puppy"], KNOWN)
    assert len(forgetful._rows) == 2


def test_several_threads_may_ask(lexicon: Lexicon) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: lexicon.compare(["puppy"], KNOWN), range(16)))
    assert all(one == found[0] for one in found)
