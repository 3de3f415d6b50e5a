"""How long a pause must be to be an ending. Pure.

Silence alone does not tell: people pause after "and", while they dictate digits, and while they
think (livekit/agents#3373, pipecat-ai/pipecat#4950). Three witnesses are asked: the words
(`wording.py`), the sound (`sayso.eot`: how likely it is that the turn is over), and how this caller
has paused so far. docs/decisions/0012-endings.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sayso.talk.ladder import NO_LADDER, Ladder
from sayso.talk.wording import Ending, find_ending

MAX_PATIENCE_S = 10.0
"""The longest end-of-turn silence a client may ask for, in seconds."""

SOUNDS_DONE = 0.8
"""From this probability on the sound is closed: 9 of 10 recorded sentences reach it."""

SOUNDS_OPEN = 0.25
"""Below this one the sound goes on: 1 recorded sentence in 20 does so at its end."""


class Preset(StrEnum):
    """How patient an agent is."""

    EAGER = "eager"
    NORMAL = "normal"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a conversation is; all in seconds.

    Attributes:
        sure_s: silence that ends a turn whose words and sound are both closed.
        patience_s: silence that ends a turn of which nothing more is known.
        hesitant_s: silence that ends a turn whose words are closed, but whose sound goes on.
        unfinished_s: silence that ends a turn whose words sound unfinished.
        dictating_s: silence that ends a number, a spelled name, an address.
        least_s: silence that any ending takes; a client may ask for it.
        most_extra_s: by how much a caller's own pauses may lengthen all this.
        interruption_s: speech over the agent that takes the floor without waiting for words.
        transcript_s: longest wait for a transcript before going on without it.
        farewell_s: longest time a goodbye may take.
        transfer_s: how long a client has to say that the caller could not be handed on.
        interruptible: the caller can cut a reply off; else it is heard to its end.
        speculates: begin the reply while the pause may still be a pause.
        ladder: what is done when nobody speaks.
        language: what is spoken, by the contract's name.
    """

    sure_s: float = 0.4
    patience_s: float = 0.45
    hesitant_s: float = 0.7
    unfinished_s: float = 1.5
    dictating_s: float = 1.8
    least_s: float = 0.0
    most_extra_s: float = 0.6
    interruption_s: float = 1.2
    transcript_s: float = 12.0
    farewell_s: float = 15.0
    transfer_s: float = 60.0
    interruptible: bool = True
    speculates: bool = True
    ladder: Ladder = NO_LADDER
    language: str = "english"


PRESETS = {
    Preset.EAGER: Policy(
        sure_s=0.25, patience_s=0.35, hesitant_s=0.6, unfinished_s=1.0, dictating_s=1.2
    ),
    Preset.NORMAL: Policy(),
    Preset.PATIENT: Policy(
        sure_s=0.6, patience_s=0.9, hesitant_s=1.4, unfinished_s=2.0, dictating_s=2.5
    ),
}
"""What a preset means."""


def patience_s(
    words: str, sounds_done: float | None, policy: Policy, extra_s: float = 0.0
) -> float:
    """Seconds of silence that end a turn.

    Args:
        words: what was said so far.
        sounds_done: how likely the sound is that of an ending; None while nobody has said so.
        policy: how patient the agent is.
        extra_s: what this caller's pauses have taught (`Habit`).
    """
    wanted_s = _wanted_s(find_ending(words, policy.language), sounds_done, policy)
    return max(wanted_s + extra_s, policy.least_s)


def _wanted_s(ending: Ending, sounds_done: float | None, policy: Policy) -> float:
    if ending is Ending.DICTATING:
        return policy.dictating_s
    if ending is Ending.OPEN:
        return policy.unfinished_s
    if sounds_done is None:
        return policy.patience_s
    if sounds_done >= SOUNDS_DONE:
        return policy.sure_s
    hesitant = sounds_done < SOUNDS_OPEN and ending is not Ending.COMPLETE
    return policy.hesitant_s if hesitant else policy.patience_s


# What a caller's pauses teach ----------------------------------------------------------------

LONGEST_PAUSE_S = 1.5
"""Who goes on after a longer silence has had a new thought, and was not cut off."""

MARGIN_S = 0.15
"""How much longer than a pause patience must be, to outlast the next one like it."""

GENTLY = 0.25
"""What a pause that did no harm counts, against one that was taken for an ending."""

FORGETS = 0.8
"""What is left of the lesson after each turn that was answered."""


def learn_extra_s(extra_s: float, gap_s: float, policy: Policy, *, cut_off: bool) -> float:
    """The patience to add from now on, of a caller who paused `gap_s` in the middle of a turn.

    `cut_off` says that a reply to half a turn had begun to sound: then the next pause like it is
    outlasted whole. Grows at once, within `policy.most_extra_s`; never shrinks here.
    """
    if gap_s > LONGEST_PAUSE_S:
        return extra_s
    missing_s = (gap_s + MARGIN_S - policy.patience_s) * (1.0 if cut_off else GENTLY)
    return max(extra_s, min(missing_s, policy.most_extra_s))


def forget_extra_s(extra_s: float) -> float:
    """What is left of the lesson once a turn was answered, and the caller let it be."""
    return extra_s * FORGETS
