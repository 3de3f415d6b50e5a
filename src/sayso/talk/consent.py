"""Whether the caller agreed to what an LLM is about to do. Pure.

A function that must be confirmed is refused at first, and the LLM told to ask. It is carried out
when the LLM calls it again with the same arguments in answer to later words of the caller, who
has heard something of the reply that asked, and does not say no.
"""

from __future__ import annotations

import re
from collections import OrderedDict

MAX_ASKED = 20
"""Questions whose answers are awaited; beyond it the oldest is forgotten."""

_NO = frozenset(
    # In each language an agent may have.
    "no nope nah don't dont not never stop wait cancel nein nicht kein nee non pas jamais nunca "
    "não nao para espera nem nie не нет стоп нельзя όχι οχι μην μη hayır hayir istemiyorum yok لا "
    "ليس ने नहीं मत tidak jangan bukan tak ไม่ ไม่ต้อง 不 不要 不用 不是 别 別 いいえ いや やめて だめ "
    "아니 아니요 아니오 싫어".split()
)
_UNSPACED = re.compile(r"不|別|别|いいえ|いや|やめ|だめ|ダメ|ไม่|아니|싫")
_NO_OBJECTION = re.compile(
    # Side by side: in "no, problems come of that" the first word is a no.
    r"\b(?:no (?:problem|worries|objection|trouble)s?|not (?:a|any) problem|(?:do not|don't) mind|"
    r"kein problem|keine (?:sorge|einwände)|no hay (?:ningún )?problema|"
    r"(?:il n'y a )?pas de (?:problème|souci)s?|não (?:há|tem) problema|geen probleem|"
    r"nie ma (?:problemu|sprawy)|не проблема|нет проблем)\b"
)
"""Agreement in words of refusal; what else is said beside it may still refuse."""
_GAPS = re.compile(r"[\s.,;:!?…¡¿\"()।。、，！？؟،-]+")


class Consent:
    """The questions an LLM was told to ask, and whether they were heard and answered."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, int] = OrderedDict()  # the reply that asks
        self._heard: set[int] = set()

    def heard(self, number: int) -> None:
        """The caller heard something of reply `number`."""
        if number in self._asked.values():
            self._heard.add(number)

    def has(self, key: str, number: int, words: str) -> bool:
        """Whether `key`, which reply `number` to the caller's `words` calls for, may be done.

        If not, that reply is taken to ask for it.
        """
        asked_by = self._asked.pop(key, None)
        agreed = (
            asked_by is not None
            and asked_by < number
            and asked_by in self._heard
            and bool(words.strip())
            and not says_no(words)
        )
        if not agreed:
            self._asked[key] = number
            while len(self._asked) > MAX_ASKED:
                self._asked.popitem(last=False)
        self._heard.intersection_update(self._asked.values())
        return agreed


def says_no(words: str) -> bool:
    """Whether `words` refuse, in any of the languages of agents; when in doubt, they do."""
    plain = _NO_OBJECTION.sub(" ", words.casefold().replace("’", "'"))
    return not _NO.isdisjoint(_GAPS.split(plain)) or _UNSPACED.search(plain) is not None
