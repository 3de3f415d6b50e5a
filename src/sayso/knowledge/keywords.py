"""Finds texts by their words: BM25 over an inverted index in arrays. Pure.

Names, codes and numbers mean little to an embedding; here they count most. FTS5 and `tsvector`
would do it in the database, each with scores of its own kind; this is the same everywhere, and
nothing has to be kept in step.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Scores: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int32]

SATURATION: Final = 1.2
"""BM25's k1: how soon one more occurrence of a word says nothing new."""

LENGTH_SHARE: Final = 0.75
"""BM25's b: how much a long text's occurrences count for less."""

STEM_CHARS: Final = 4
"""Words this long lose a plural's "s"."""

SLICE: Final = 50
"""Texts read at a time, about a millisecond's work, when an index is built."""

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\uffef]{2,}")


def cut_words(text: str) -> list[str]:
    """The words of `text` as they are compared; pairs of letters where no space parts words."""
    words: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):
            words += [word[at : at + 2] for at in range(len(word) - 1)]
        elif len(word) >= STEM_CHARS and word.endswith("s") and not word.endswith("ss"):
            words.append(word[:-1])
        else:
            words.append(word)
    return words


class Keywords:
    """An index of `count` texts by their words. Made by `build`.

    The texts a word stands in, and what it adds to the score of each, are a run of two arrays.

    Args:
        known: a number for each word.
        words: the number of a word, for each word of each text, once a text.
        texts: the text it stands in.
        often: how often.
        lengths: how many words each text has.
    """

    def __init__(
        self,
        known: Mapping[str, int],
        words: Numbers,
        texts: Numbers,
        often: Numbers,
        lengths: Numbers,
    ) -> None:
        self._known = known
        self._count = len(lengths)
        order = np.argsort(words, kind="stable")
        self._texts = texts[order]
        sizes = np.bincount(words, minlength=len(known))
        self._ends = np.cumsum(sizes)
        self._begins = self._ends - sizes
        rarity = find_rarity(self._count, sizes)
        self._rarity = rarity
        share = lengths / max(1.0, float(lengths.mean()) if self._count else 1.0)
        norms = (SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * share)).astype(np.float32)
        times = often[order].astype(np.float32)
        gain = times * (SATURATION + 1) / (times + norms[self._texts])
        self._weights = (rarity[words[order]] * gain).astype(np.float32)

    def score(self, words: str) -> Scores:
        """How well each text fits `words`, 0 for not at all; shape (texts,)."""
        scores = np.zeros(self._count, np.float32)
        for word in dict.fromkeys(cut_words(words)):
            if (number := self._known.get(word)) is not None:
                run = slice(self._begins[number], self._ends[number])
                scores[self._texts[run]] += self._weights[run]
        return scores

    def cover(self, words: str) -> Scores:
        """How much of what `words` say each text has, from 0 to 1; shape (texts,).

        A word that no text has counts as the rarest: where half of a question is about something
        else, no text has more than the other half.
        """
        numbers = [self._known.get(word) for word in dict.fromkeys(cut_words(words))]
        unknown = float(find_rarity(self._count, np.zeros(1, np.int32))[0])
        whole = sum(unknown if n is None else float(self._rarity[n]) for n in numbers)
        if not whole:
            return np.zeros(self._count, np.float32)
        shares: Scores = np.minimum(self.score(words) / np.float32(whole), np.float32(1.0))
        return shares


def find_rarity(count: int, sizes: npt.NDArray[Any]) -> Scores:
    """How much words say of a text that has them, if so many of `count` texts do."""
    rarity: Scores = np.log1p((count - sizes + 0.5) / (sizes + 0.5)).astype(np.float32)
    return rarity


def build(texts: Sequence[str]) -> Iterator[Keywords | None]:
    """Index `texts` a slice at a time: gives None after each, and the index at last.

    Whoever builds beside conversations rests in between.
    """
    known: dict[str, int] = {}
    words, within, often, lengths = array("i"), array("i"), array("i"), array("i")
    for number, text in enumerate(texts):
        cut = cut_words(text)
        lengths.append(len(cut))
        for word, times in Counter(cut).items():
            words.append(known.setdefault(word, len(known)))
            within.append(number)
            often.append(times)
        if number % SLICE == SLICE - 1:
            yield None
    yield Keywords(known, *(np.array(one, np.int32) for one in (words, within, often, lengths)))
