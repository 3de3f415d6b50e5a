from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.talk.ears import (
    BREATH_S,
    BREATH_WINDOWS,
    POST_ROLL_S,
    PRE_ROLL_S,
    Ears,
    Lull,
    Tape,
    Utterance,
)
from sayso.talk.events import SpeechCut, SpeechStarted, SpeechStopped, Tick
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.gate import Gate

Happening = SpeechStarted | Lull | Utterance | Tick


class LoudIsSpeech:
    """A detector that takes every loud window for speech."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> list[float]:
        self._rest = np.concatenate([self._rest, samples])
        windows = len(self._rest) // WINDOW_SAMPLES
        judged, self._rest = np.split(self._rest, [windows * WINDOW_SAMPLES])
        return [float(np.abs(w).max() > 0.1) for w in judged.reshape(windows, WINDOW_SAMPLES)]


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * EAR_RATE_HZ), np.float32)


def loud(seconds: float) -> Samples:
    return np.full(int(seconds * EAR_RATE_HZ), 0.5, np.float32)


def listen(
    *pieces: Samples,
    max_utterance_s: float = 15.0,
    deadline_s: float | None = None,
    lulls: bool = False,
) -> list[Happening]:
    ears, vad = Ears(Gate(), max_utterance_s, lulls=lulls), LoudIsSpeech()
    ears.deadline_s = deadline_s
    return [happening for piece in pieces for happening in ears.hear(piece, vad.feed(piece))]


def test_speech_starts_and_stops_with_its_sound() -> None:
    started, stopped = listen(quiet(1.0), loud(1.0), quiet(1.0))
    assert isinstance(started, SpeechStarted)
    assert 1.0 < started.at_s < 1.2
    assert isinstance(stopped, Utterance)
    assert isinstance(stopped.event, SpeechStopped)
    assert abs(stopped.event.since_s - 2.0) < 0.05
    assert stopped.event.at_s > stopped.event.since_s
    said_s = len(stopped.samples) / EAR_RATE_HZ
    assert abs(said_s - (PRE_ROLL_S + 1.0 + POST_ROLL_S)) < 0.08
    assert float((stopped.samples == 0.5).sum()) / EAR_RATE_HZ > 0.99


def test_first_and_last_syllables_survive() -> None:
    utterance = listen(quiet(1.0), loud(0.5), quiet(1.0))[-1]
    assert isinstance(utterance, Utterance)
    assert utterance.samples[0] == 0.0
    assert utterance.samples[-1] == 0.0


def test_speech_at_the_very_start_is_whole() -> None:
    utterance = listen(loud(0.5), quiet(1.0))[-1]
    assert isinstance(utterance, Utterance)
    assert utterance.samples[0] == 0.5


def test_a_second_utterance_holds_nothing_of_the_first() -> None:
    happenings = listen(loud(1.0), quiet(2.0), loud(0.5), quiet(1.0))
    second = happenings[-1]
    assert isinstance(second, Utterance)
    assert abs(float((second.samples == 0.5).sum()) / EAR_RATE_HZ - 0.5) < 0.04


def test_endless_speech_is_cut_and_no_sound_is_lost() -> None:
    happenings = listen(loud(5.0), quiet(1.0), max_utterance_s=2.0)
    utterances = [h for h in happenings if isinstance(h, Utterance)]
    kinds = [type(u.event) for u in utterances]
    assert kinds == [SpeechCut, SpeechCut, SpeechStopped]
    total = sum(int((u.samples == 0.5).sum()) for u in utterances)
    assert total == 5 * EAR_RATE_HZ


def test_a_deadline_ticks_once_it_is_reached() -> None:
    ticks = listen(quiet(1.0), deadline_s=0.5)
    assert isinstance(ticks[0], Tick)
    assert 0.5 <= ticks[0].at_s < 0.55


def test_audio_time_counts_what_was_listened_to() -> None:
    ears = Ears(Gate(), 15.0)
    assert ears.now_s == 0.0
    list(ears.hear(quiet(0.05), [0.0]))
    assert abs(ears.now_s - 0.05) < 1e-9


def test_a_deadline_inside_a_window_does_not_wait_for_its_end() -> None:
    ears = Ears(Gate(), 15.0)
    ears.deadline_s = 0.045
    assert list(ears.hear(quiet(0.04), [0.0])) == []
    assert list(ears.hear(quiet(0.01), [])) == [Tick(0.05)]


def test_a_deadline_waits_while_speech_may_be_about_to_start() -> None:
    happenings = listen(quiet(0.48), loud(0.5), deadline_s=0.5)
    assert isinstance(happenings[0], SpeechStarted)
    assert happenings[0].at_s < 0.6


def test_a_click_keeps_a_deadline_waiting_for_a_moment_only() -> None:
    happenings = listen(quiet(0.48), loud(0.05), quiet(0.5), deadline_s=0.5)
    assert isinstance(happenings[0], Tick)
    assert 0.5 <= happenings[0].at_s < 0.6


def test_a_beginning_is_dated_by_the_sound_and_not_by_the_window() -> None:
    for ms in range(0, 40, 5):
        started = listen(quiet(0.5 + ms / 1000), loud(0.5))[0]
        assert isinstance(started, SpeechStarted)
        assert started.since_s is not None
        assert abs(started.since_s - (0.5 + ms / 1000)) <= 0.01


def test_a_deadline_waits_while_speech_may_have_stopped() -> None:
    kinds = [type(h) for h in listen(quiet(0.5), loud(0.5), quiet(0.5), deadline_s=1.1)]
    assert kinds[:3] == [SpeechStarted, Utterance, Tick]


def test_a_dip_in_speech_keeps_it_waiting_for_a_moment_only() -> None:
    happenings = listen(quiet(0.5), loud(0.5), quiet(0.1), loud(0.5), deadline_s=1.05)
    assert isinstance(happenings[1], Tick)
    assert 1.05 <= happenings[1].at_s < 1.2


def test_an_ending_is_dated_by_the_sound_and_not_by_the_window() -> None:
    for ms in range(0, 40, 5):
        utterance = listen(quiet(0.5), loud(0.5 + ms / 1000), quiet(1.0))[-1]
        assert isinstance(utterance, Utterance)
        assert isinstance(utterance.event, SpeechStopped)
        assert abs(utterance.event.since_s - (1.0 + ms / 1000)) <= 0.01


def test_endless_speech_is_not_kept_for_ever() -> None:
    ears = Ears(Gate(), 1.0)
    for _ in range(100):
        list(ears.hear(loud(0.32), [1.0] * 10))
    assert ears.kept_s < 3.0


def test_they_are_tense_while_speech_may_be_about_to_start() -> None:
    ears = Ears(Gate(), 15.0)
    piece = quiet(0.032)
    tense = [ears.is_tense()]
    for probability in (0.9, 0.1):
        list(ears.hear(piece, [probability]))
        tense.append(ears.is_tense())
    assert tense == [False, True, False]


def test_they_are_tense_once_the_next_breath_may_bring_the_deadline() -> None:
    ears = Ears(Gate(), 15.0)
    ears.deadline_s = 2 * BREATH_S + 0.02
    assert not ears.is_tense(int(0.01 * EAR_RATE_HZ))
    assert ears.is_tense(int(0.02 * EAR_RATE_HZ))


class TestALull:
    def test_comes_before_the_end_with_the_same_sound(self) -> None:
        _, lull, utterance = listen(quiet(0.5), loud(0.7), quiet(0.5), lulls=True)
        assert isinstance(lull, Lull)
        assert isinstance(utterance, Utterance)
        assert lull.samples.tolist() == utterance.samples.tolist()

    def test_comes_again_after_the_caller_went_on(self) -> None:
        happenings = listen(loud(0.5), quiet(0.16), loud(0.5), quiet(0.5), lulls=True)
        kinds = [type(happening) for happening in happenings]
        assert kinds == [SpeechStarted, Lull, Lull, Utterance]

    def test_is_not_told_to_those_who_do_not_ask(self) -> None:
        kinds = [type(happening) for happening in listen(loud(0.5), quiet(0.5))]
        assert kinds == [SpeechStarted, Utterance]

    def test_is_not_noticed_late(self) -> None:
        ears = Ears(Gate(), 15.0, lulls=True)
        tense = []
        for probability in (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0):
            list(ears.hear(quiet(0.032), [probability]))
            tense.append(ears.is_tense())
        assert tense == [True, True, False, False, True, True, False]


def test_sound_that_comes_in_large_slices_may_bring_all_at_once() -> None:
    assert Ears(Gate(), 15.0).is_tense(int(0.25 * EAR_RATE_HZ))


def test_no_more_windows_fill_in_a_breath_than_it_says() -> None:
    left_over = WINDOW_SAMPLES - 1
    assert (left_over + int(BREATH_S * EAR_RATE_HZ)) // WINDOW_SAMPLES <= BREATH_WINDOWS


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30))
def test_time_never_goes_back(sizes: list[int]) -> None:
    ears = Ears(Gate(), 15.0)
    vad = LoudIsSpeech()
    ears.deadline_s = 0.1
    seen_s = 0.0
    for index, size in enumerate(sizes):
        sound = np.full(size, 0.5 * (index % 2), np.float32)
        for happening in ears.hear(sound, vad.feed(sound)):
            assert not isinstance(happening, Lull)
            event = happening.event if isinstance(happening, Utterance) else happening
            assert seen_s <= event.at_s <= ears.now_s
            seen_s = event.at_s
        seen_s = ears.now_s


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30))
def test_how_sound_is_sliced_does_not_matter(sizes: list[int]) -> None:
    whole = np.concatenate([quiet(0.5), loud(0.6), quiet(0.8)])
    slices, at = [], 0
    for size in sizes:
        slices.append(whole[at : at + size])
        at += size
    slices.append(whole[at:])

    def spell(happenings: list[Happening]) -> list[object]:
        return [
            (h.event, len(h.samples), float(h.samples.sum())) if isinstance(h, Utterance) else h
            for h in happenings
        ]

    assert spell(listen(*slices)) == spell(listen(whole))


def test_a_tape_forgets_only_whole_pieces_of_the_past() -> None:
    tape = Tape()
    assert len(tape.cut(0, 10)) == 0
    for value in range(5):
        tape.record(np.full(10, value, np.float32))
    tape.forget(25)
    assert tape.ends == 50
    assert list(tape.cut(18, 22)) == [2.0, 2.0]
    assert list(tape.cut(29, 31)) == [2.0, 3.0]
