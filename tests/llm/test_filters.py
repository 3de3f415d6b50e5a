from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.filters import Repeats, Surrogates, Thoughts


def cut(text: str, places: list[int]) -> list[str]:
    ends = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


places = st.lists(st.integers(0, 60), max_size=10)


# Surrogates -----------------------------------------------------------------------------------


def test_halves_of_an_emoji_are_joined() -> None:
    sieve = Surrogates()
    assert [sieve.feed(piece) for piece in ["Hi \ud83d", "\udc4b", "!"]] == ["Hi ", "👋", "!"]


def test_lone_halves_are_dropped() -> None:
    sieve = Surrogates()
    assert [sieve.feed(piece) for piece in ["a\udc4bb", "c\ud83d", "d", "é"]] == [
        "ab",
        "c",
        "d",
        "é",
    ]


@given(st.text(alphabet="aé👋🌍", max_size=20), places)
def test_any_cut_between_halves_gives_the_text(text: str, where: list[int]) -> None:
    halves = text.encode("utf-16-le")
    units = "".join(
        halves[n : n + 2].decode("utf-16-le", "surrogatepass") for n in range(0, len(halves), 2)
    )
    sieve = Surrogates()
    assert "".join(sieve.feed(piece) for piece in cut(units, where)) == text


# Repeats ----------------------------------------------------------------------------------------


def say(pieces: list[str]) -> tuple[str, bool]:
    sieve = Repeats()
    said = "".join(sieve.feed(piece) for piece in pieces)
    return said + sieve.finish(), sieve.cumulative


def test_deltas_pass() -> None:
    assert say(["The", " smoke", " test", ""]) == ("The smoke test", False)


def test_cumulative_pieces_are_said_once() -> None:
    assert say(["The", "The smoke", "The smoke test", "The smoke test"]) == ("The smoke test", True)


def test_two_pieces_of_which_the_last_says_all() -> None:
    assert say(["The smoke test", "The smoke test has passed."]) == (
        "The smoke test has passed.",
        True,
    )


def test_a_last_piece_that_repeats_everything() -> None:
    assert say(["The smoke ", "test ", "passed.", "The smoke test passed."])[0] == (
        "The smoke test passed."
    )


@pytest.mark.parametrize(
    "pieces",
    [
        ["ha", "ha", "ha", "!"],
        ["ha", "haha", "!"],
        ["no", "no", "no"],
        ["1", "10", "0"],
        [" ", "  ", "x"],
        ["no ", "no no", " way"],
        [".", "..", "."],
        ["ha", "ha", "haha"],
    ],
)
def test_real_repetitions_are_said(pieces: list[str]) -> None:
    assert say(pieces) == ("".join(pieces), False)


def test_a_whole_message_adds_what_is_new() -> None:
    sieve = Repeats()
    assert sieve.feed("Hello", whole=True) == "Hello"
    assert sieve.feed("Hello there", whole=True) == " there"
    assert sieve.feed("Hello there", whole=True) == ""
    assert sieve.feed("Something else", whole=True) == ""
    assert not sieve.cumulative


def test_a_whole_message_settles_a_suspect() -> None:
    sieve = Repeats()
    assert sieve.feed("ha") == "ha"
    assert sieve.feed("haha") == ""
    assert sieve.feed("hahaha", whole=True) == "haha"
    assert not sieve.cumulative


def test_a_cumulative_answer_that_changes_is_not_said_twice() -> None:
    assert say(["ab", "abc", "abcd", "xbcd", "abcde"]) == ("abcde", True)


words = st.lists(st.text(alphabet="ab ", min_size=1, max_size=4), min_size=3, max_size=12)


@given(words)
def test_cumulative_gives_the_last_piece(pieces: list[str]) -> None:
    pieces = ["Well, this is so. ", *pieces]
    grown = list(accumulate(pieces))
    assert say(grown) == (grown[-1], True)


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=3), max_size=30))
def test_nothing_of_short_deltas_is_lost(pieces: list[str]) -> None:
    said, cumulative = say(pieces)
    assert cumulative or said == "".join(pieces)


# Thoughts ---------------------------------------------------------------------------------------


def think(pieces: list[str]) -> str:
    sieve = Thoughts()
    return "".join(sieve.feed(piece) for piece in pieces) + sieve.finish()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello", "Hello"),
        ("<think>hm</think>\n\nHello", "Hello"),
        ("<THINK>hm</Think> Hello", "Hello"),
        ("<thinking>a</think>b</thinking>Yes", "Yes"),
        ("<reasoning>x</reasoning><thought>y</thought> \n Yes", "Yes"),
        ("So <think>hm</think> it is", "So  it is"),
        ("a < b and c <thin air", "a < b and c <thin air"),
        ("<<think>x</think>y", "<y"),
        ("1 <", "1 <"),
        ("<think>never ends", ""),
        ("<think></think>", ""),
        (" leading", " leading"),
    ],
)
def test_thoughts_are_dropped(text: str, spoken: str) -> None:
    assert think([text]) == spoken
    assert think(list(text)) == spoken


def test_it_is_known_that_thoughts_were_dropped() -> None:
    sieve = Thoughts()
    sieve.feed("a < b")
    assert not sieve.dropped
    sieve.feed("<think>")
    assert sieve.dropped


def test_what_cannot_be_a_tag_is_not_held_back() -> None:
    sieve = Thoughts()
    assert sieve.feed("a <b") == "a <b"
    assert sieve.feed("a <th") == "a "
    assert sieve.feed("e") == "<the"


fragments = ["<think>", "</think>", "<thinking>", "</thinking>", "<", ">", "think", "a", " ", "\n"]


@given(st.lists(st.sampled_from(fragments), max_size=15).map("".join), places)
def test_any_cut_of_thoughts_is_the_same(text: str, where: list[int]) -> None:
    assert think(cut(text, where)) == think([text])


class TestUnopenedThoughts:
    """Templates that open the block in the prompt: only `</think>` is sent."""

    @given(st.integers(0, 40))
    def test_who_knows_beforehand_speaks_only_what_comes_after(self, at: int) -> None:
        text = "The user greets.</think>\n\nHello."
        sieve = Thoughts(inside=True)
        spoken = sieve.feed(text[:at]) + sieve.feed(text[at:]) + sieve.finish()
        assert (spoken, sieve.unopened, sieve.dropped) == ("Hello.", True, True)

    @given(st.integers(0, 40))
    def test_without_an_end_all_of_it_was_the_answer(self, at: int) -> None:
        text = "Hello to you, <b>caller</b>."
        sieve = Thoughts(inside=True)
        spoken = sieve.feed(text[:at]) + sieve.feed(text[at:])
        assert spoken == ""
        assert sieve.finish() == text
        assert (sieve.unopened, sieve.dropped) == (False, False)

    def test_nothing_at_all_tells_nothing(self) -> None:
        sieve = Thoughts(inside=True)
        assert (sieve.finish(), sieve.unopened) == ("", None)

    def test_who_does_not_know_drops_the_mark_and_says_so(self) -> None:
        sieve = Thoughts()
        spoken = sieve.feed("Hm. </th") + sieve.feed("ink>Hello.") + sieve.finish()
        assert (spoken, sieve.unopened, sieve.dropped) == ("Hm. Hello.", True, True)

    def test_a_whole_block_is_no_unopened_one(self) -> None:
        sieve = Thoughts()
        assert sieve.feed("<think>Hm.</think> Hello.") == "Hello."
        assert sieve.unopened is None
