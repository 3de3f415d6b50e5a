"""The laws of the turn core, one rule at a time and over random conversations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.talk.endpointing import PRESETS, Policy, Preset
from sayso.talk.events import (
    Answer,
    Attend,
    Author,
    Command,
    Draft,
    Drop,
    End,
    EndedBy,
    Event,
    FixedLine,
    Glimpse,
    Glimpsed,
    Heard,
    Hold,
    HungUp,
    Hush,
    Judged,
    Missed,
    Opened,
    ReplyPlayed,
    ReplyStarted,
    Resume,
    Say,
    SpeechCut,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeUp,
    Transfer,
    TransferFailed,
    Typed,
)
from sayso.talk.state import ECHOES, REPLYING, Phase, Turn
from sayso.talk.turn import step
from turns import POLICY, SPEAKING, asked, run


class TestText:
    def test_of_the_caller_interrupts(self) -> None:
        _, said = run(Typed(4.0, "In writing, please"), turn=SPEAKING)
        assert said == [Hush(1), Answer(2, "In writing, please")]

    def test_of_the_caller_joins_the_words_not_yet_answered(self) -> None:
        turn, _ = run(*asked("Book a table."))
        _, said = run(Typed(2.6, "For two"), turn=turn)
        assert said == [Hush(1), Answer(2, "Book a table. For two")]

    def test_of_the_program_is_answered_when_nobody_speaks(self) -> None:
        _, said = run(Typed(1.0, "The caller is Ann.", Author.PROGRAM))
        assert said == [Answer(1, "", "The caller is Ann.")]

    def test_of_the_program_waits_for_the_reply_to_end(self) -> None:
        turn, said = run(Typed(4.0, "Paid.", Author.PROGRAM), turn=SPEAKING)
        assert said == []
        _, said = run(ReplyPlayed(5.0, 1), turn=turn)
        assert said == [Answer(2, "", "Paid.")]

    def test_of_the_program_goes_with_the_callers_next_words(self) -> None:
        turn, _ = run(SpeechStarted(1.0), Typed(1.2, "VIP", Author.PROGRAM))
        _, said = run(SpeechStopped(2.2, 2.0), Heard(2.3, "Hello."), Tick(2.5), turn=turn)
        assert said == [Answer(1, "Hello.", "VIP")]

    def test_of_the_program_renews_a_reply_that_has_not_sounded(self) -> None:
        turn, _ = run(*asked("Is it paid?"))
        _, said = run(Typed(2.6, "It is.", Author.PROGRAM), turn=turn)
        assert said == [Hush(1), Answer(2, "Is it paid?", "It is.")]

    def test_typed_while_talking_the_spoken_words_follow(self) -> None:
        _turn, said = run(
            SpeechStarted(1.0),
            Typed(1.1, "Hi"),
            ReplyStarted(1.4, 1),
            ReplyPlayed(1.9, 1),
            SpeechStopped(2.2, 2.0),
            Heard(2.3, "Hello."),
            Tick(2.5),
        )
        assert said == [Attend(), Answer(1, "Hi"), Attend(), Answer(2, "Hello.")]


class TestOpening:
    def test_with_a_greeting_the_agent_speaks_first(self) -> None:
        turn, said = run(Opened(0.0, greeting=True))
        assert (turn.phase, said) == (Phase.THINKING, [Say(1, FixedLine.GREETING)])

    def test_without_one_it_waits(self) -> None:
        assert run(Opened(0.0, greeting=False)) == (Turn(), [])


class TestAnyPhase:
    @pytest.mark.parametrize("event", [ReplyStarted(5.0, 7), ReplyPlayed(5.0, 0)])
    def test_a_stale_number_is_dropped(self, event: Event) -> None:
        assert run(event, turn=SPEAKING) == (SPEAKING, [])


# Random conversations ------------------------------------------------------------------------

TEXTS = ["", "yes", "uh-huh", "and", "What time is it?", "stop", "555", "You"]
WORDS = st.sampled_from(TEXTS)
KIND_NAMES = (
    "started cut stopped heard missed judged misjudged typed note sound played asked stale tick "
    "late glimpsed unsure handed failed timeup hungup"
).split()
KINDS = st.sampled_from(KIND_NAMES)
SCRIPT = st.lists(st.tuples(KINDS, WORDS, st.floats(0.01, 3.0)), max_size=60)


@dataclass
class Laws:
    """Watches one conversation, and fails at the first broken law."""

    number: int = 0
    alive: int | None = None
    held: bool = False
    over: bool = False
    draft: int | None = None
    seen: list[Command] = field(default_factory=list)

    def check_all(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self.check(command)

    def check(self, command: Command) -> None:
        assert not self.over, f"{command} after the end"
        self.seen.append(command)
        match command:
            case Draft(number=number, words=words):
                assert number == self.number + 1
                assert words
                assert self.alive is None
                self.draft = number
            case Drop(number=number):
                assert number == self.draft, "dropped what was not drafted"
                self.draft = None
            case Answer(number=number) | Say(number=number):
                assert number == self.number + 1
                assert self.alive is None, "two replies at once"
                if isinstance(command, Answer):
                    assert command.words or command.notes
                self.number, self.alive, self.held, self.draft = number, number, False, None
            case Hold(number=number):
                assert number == self.alive
                assert not self.held
                self.held = True
            case Glimpse(number=number) | Resume(number=number):
                assert number == self.alive
                assert self.held
                self.held = isinstance(command, Glimpse)
            case Hush(number=number):
                assert number == self.alive, "hushed what does not live"
                self.alive, self.held = None, False
            case End():
                assert self.alive is None
                self.over = True
            case Attend() | Transfer():
                assert self.alive is None

    def played(self, number: int) -> None:
        if number == self.alive:
            self.alive, self.held = None, False


def event_of(kind: str, text: str, at_s: float, turn: Turn) -> Event | None:
    """What the world could really do next, or None where it could not."""
    sounding = turn.phase in REPLYING and turn.audible
    possible: dict[str, Event | None] = {
        "started": None if turn.talking else SpeechStarted(at_s),
        "cut": SpeechCut(at_s) if turn.talking else None,
        "stopped": SpeechStopped(at_s, at_s - 0.2) if turn.talking else None,
        "heard": Heard(at_s, text, at_s % 1) if turn.transcribing else None,
        "judged": Judged(at_s, turn.silent_since_s, at_s % 1),
        "misjudged": Judged(at_s, turn.silent_since_s - 0.1, at_s % 1),
        "glimpsed": Glimpsed(at_s, text, at_s % 1, at_s * 7 % 1, at_s * 3 % 1),
        "unsure": Heard(at_s, text, at_s % 1, False, at_s * 7 % 1, at_s * 3 % 1)
        if turn.transcribing
        else None,
        "missed": Missed(at_s) if turn.transcribing else None,
        "typed": Typed(at_s, text or "typed"),
        "note": Typed(at_s, text or "note", Author.PROGRAM),
        "sound": None if sounding else ReplyStarted(at_s, turn.number),
        "played": ReplyPlayed(at_s, turn.number),
        "asked": ReplyPlayed(at_s, turn.number, asks=True),
        "stale": ReplyPlayed(at_s, turn.number - 1),
        "handed": ReplyPlayed(at_s, turn.number, transfers=True),
        "failed": TransferFailed(at_s, "nobody answers"),
        "tick": Tick(at_s),
        "late": Heard(at_s, text),
        "echo": Heard(at_s, "", echoed=True),
        "timeup": TimeUp(at_s),
        "hungup": HungUp(at_s, EndedBy.USER),
    }
    return possible[kind]


def watch(policy: Policy, greeting: bool, script: Iterable[tuple[str, str, float]]) -> None:
    """Live through a conversation, and fail at the first broken law."""
    laws, at_s = Laws(), 0.0
    turn, commands = step(Turn(), Opened(0.0, greeting), policy)
    laws.check_all(commands)
    for kind, text, gap_s in script:
        at_s += gap_s
        event = event_of(kind, text, at_s, turn)
        if event is None:
            continue
        before = turn
        turn, commands = step(turn, event, policy)
        assert step(before, event, policy) == (turn, commands), "not the same twice"
        if kind in {"misjudged", "stale"}:
            assert (turn, commands) == (before, ()), "a stale event did something"
        if isinstance(event, ReplyPlayed):
            laws.played(event.number)
        if before.audible and not policy.interruptible and not isinstance(event, TimeUp | HungUp):
            assert not any(isinstance(command, Hold | Hush) for command in commands)
        if isinstance(event, Glimpsed):
            assert turn.words == before.words, "a glimpse is no transcript"
        if before.audible and before.echoes >= ECHOES:
            assert not any(isinstance(command, Hold) for command in commands)
        if before.phase is Phase.TRANSFERRING and not isinstance(event, TransferFailed):
            assert all(isinstance(command, End) for command in commands), "not ours to answer"
        if any(isinstance(command, Transfer) for command in commands):
            assert turn.phase is Phase.TRANSFERRING
            assert turn.number == laws.number
            assert not turn.talking, "handed on while they speak"
            assert not turn.transcribing, "handed on before they were understood"
        laws.check_all(commands)
        check_state(turn, policy)
        assert (turn.phase in REPLYING) == (laws.alive is not None)
        assert step(turn, HungUp(at_s, EndedBy.USER), policy)[0].phase is Phase.ENDED


def check_state(turn: Turn, policy: Policy) -> None:
    timed = {Phase.WAITING, Phase.DOUBTING, Phase.CLOSING, Phase.TRANSFERRING}
    assert (turn.deadline_s is not None) == (turn.phase in timed)
    assert not turn.transfers or turn.phase in {Phase.LISTENING, Phase.WAITING}
    assert turn.transcribing >= 0
    assert not turn.over or (turn.phase in REPLYING and not policy.interruptible)
    assert 0 <= turn.extra_s <= policy.most_extra_s
    if turn.phase is Phase.WAITING and turn.deadline_s is not None:
        wait_s = turn.deadline_s - turn.silent_since_s
        longest_s = max(policy.dictating_s + policy.most_extra_s, policy.least_s)
        assert wait_s >= max(policy.sure_s, policy.least_s) - 1e-9
        assert wait_s <= longest_s + 1e-9 or wait_s == pytest.approx(policy.transcript_s)


@settings(max_examples=1000, deadline=None)
@given(
    greeting=st.booleans(),
    speculates=st.booleans(),
    interruptible=st.booleans(),
    preset=st.sampled_from(Preset),
    script=SCRIPT,
)
def test_the_laws_hold_in_every_conversation(
    greeting: bool,
    speculates: bool,
    interruptible: bool,
    preset: Preset,
    script: list[tuple[str, str, float]],
) -> None:
    policy = replace(PRESETS[preset], speculates=speculates, interruptible=interruptible)
    watch(policy, greeting, script)


def test_the_laws_hold_in_ten_thousand_conversations() -> None:
    """Hypothesis finds the small odd ones; these are long, and every run has the same."""
    random = Random(0)
    policies = [
        replace(PRESETS[preset], least_s=least, interruptible=interruptible)
        for preset in Preset
        for least in (0, 1)
        for interruptible in (True, False)
    ]
    for number in range(10_000):
        script = [
            (random.choice(KIND_NAMES[:-2]), random.choice(TEXTS), random.uniform(0.01, 1.0))
            for _ in range(random.randrange(10, 40))
        ]
        watch(policies[number % len(policies)], bool(number % 2), script)


@settings(max_examples=500, deadline=None)
@given(script=SCRIPT, interruptible=st.booleans())
def test_silence_at_the_end_leads_to_rest(
    script: list[tuple[str, str, float]], interruptible: bool
) -> None:
    """Once the caller is silent and replies play, every conversation comes to rest."""
    turn, at_s = Turn(), 0.0
    policy = replace(POLICY, interruptible=interruptible)
    for kind, text, gap_s in script:
        at_s += gap_s
        if (event := event_of(kind, text, at_s, turn)) is not None:
            turn, _ = step(turn, event, policy)
    if turn.talking:
        turn, _ = step(turn, SpeechStopped(at_s + 0.2, at_s), policy)
    for _ in range(8):
        at_s += POLICY.transcript_s + POLICY.farewell_s
        turn, _ = step(turn, Tick(at_s), policy)
        turn, _ = step(turn, ReplyStarted(at_s, turn.number), policy)
        turn, _ = step(turn, ReplyPlayed(at_s, turn.number), policy)
    assert turn.phase in {Phase.IDLE, Phase.ENDED}
