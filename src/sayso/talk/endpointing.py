"""When a pause is an ending, and when a noise is a word. Pure.

Silence alone does not tell: people pause after "and", while they dictate digits, and they say
"mm-hm" without wanting the floor (livekit/agents#4039, pipecat-ai/pipecat#3913).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sayso.talk.ladder import NO_LADDER, Ladder

MAX_PATIENCE_S = 10.0
"""The longest end-of-turn silence a client may ask for, in seconds."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a conversation is; all in seconds.

    Attributes:
        patience_s: silence that ends a turn.
        unfinished_s: silence that ends a turn whose words sound unfinished.
        interruption_s: speech over the agent that takes the floor without waiting for words.
        transcript_s: longest wait for a transcript before going on without it.
        farewell_s: longest time a goodbye may take.
        speculates: begin the reply while the pause may still be a pause.
        ladder: what is done when nobody speaks.
    """

    patience_s: float = 0.45
    unfinished_s: float = 1.2
    interruption_s: float = 0.5
    transcript_s: float = 12.0
    farewell_s: float = 15.0
    speculates: bool = True
    ladder: Ladder = NO_LADDER


_GOES_ON = frozenset(
    """a an the and or but so because if when that which who without my your our his her their its
    um uh er hmm than as""".split()
)
_OFTEN_GOES_ON = frozenset("""with to for from of in on at by is are was were am be like""".split())
_BACKCHANNELS = frozenset(
    """uh huh uh-huh mm hm mhm mm-hm mmhm hmm hm mmm yeah yep yes yup right ok okay sure ah oh aha
    i see got it go on really wow cool nice great""".split()
)
_BACKCHANNEL_WORDS = 3


def words_of(text: str) -> list[str]:
    """The bare lower-case words of `text`, without punctuation."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())


def is_unfinished(text: str) -> bool:
    """Whether `text` ends as sentences do not: on "and", "the", "um", on a comma or a dash.

    A preposition may end one ("Agent logged in."), if the transcript closes it there.
    """
    words, end = words_of(text), text.rstrip()
    if not words:
        return False
    if words[-1] in _GOES_ON or end.endswith((",", "-", "–", "…", "...")):
        return True
    return words[-1] in _OFTEN_GOES_ON and not end.endswith((".", "?", "!"))


def is_backchannel(text: str) -> bool:
    """Whether `text` only says "I am listening" ("uh-huh", "yeah, right")."""
    words = words_of(text)
    return len(words) <= _BACKCHANNEL_WORDS and all(word in _BACKCHANNELS for word in words)


def patience_s(words: str, policy: Policy) -> float:
    """Seconds of silence that end a turn in which `words` were said.

    A client that asked for more patience than the rule gives keeps its own.
    """
    if is_unfinished(words):
        return max(policy.unfinished_s, policy.patience_s)
    return policy.patience_s
