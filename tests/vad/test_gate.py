import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.vad.gate import WINDOW_S, Gate, SpeechStarted, SpeechStopped

Event = SpeechStarted | SpeechStopped


def play(gate: Gate, *probabilities: float) -> list[Event]:
    return [event for p in probabilities if (event := gate.step(p))]


def windows(seconds: float) -> int:
    return round(seconds / WINDOW_S)


def test_speech_is_dated_back_to_its_first_loud_window() -> None:
    gate = Gate(min_speech_s=0.096)
    assert play(gate, 0.1, 0.1, 0.9, 0.9) == []
    assert gate.step(0.9) == SpeechStarted(at_s=2 * WINDOW_S)
    assert gate.speaking
    assert gate.now_s == pytest.approx(5 * WINDOW_S)


def test_silence_is_dated_back_to_the_last_speech_window() -> None:
    gate = Gate(min_speech_s=0.032, hang_s=0.2)
    play(gate, 0.9, 0.9)
    quiet = [0.1] * windows(0.192)
    assert play(gate, *quiet) == []
    assert gate.step(0.1) == SpeechStopped(at_s=2 * WINDOW_S)
    assert not gate.speaking


def test_a_dip_inside_a_word_does_not_stop_speech() -> None:
    gate = Gate(hang_s=0.2)
    play(gate, *[0.9] * 5)
    assert play(gate, *([0.1] * 5 + [0.9]) * 10) == []
    assert gate.speaking


def test_a_click_is_not_speech() -> None:
    gate = Gate(min_speech_s=0.096)
    assert play(gate, *([0.1, 0.9, 0.9] * 20)) == []


def test_a_soft_window_neither_starts_nor_forgets() -> None:
    gate = Gate(start=0.5, stop=0.3, min_speech_s=0.096)
    assert play(gate, 0.4, 0.4, 0.9, 0.4, 0.9) == []
    assert gate.step(0.9) == SpeechStarted(at_s=2 * WINDOW_S)


def test_a_soft_window_keeps_speech_going() -> None:
    gate = Gate(start=0.5, stop=0.3, min_speech_s=0.032, hang_s=0.064)
    play(gate, 0.9)
    assert play(gate, 0.1, 0.4, 0.1, 0.4) == []
    assert play(gate, 0.1, 0.1) == [SpeechStopped(at_s=5 * WINDOW_S)]


def test_silence_in_speech_is_counted() -> None:
    gate = Gate(min_speech_s=0.032, hang_s=0.096)
    quiet = []
    for probability in (0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1):
        gate.step(probability)
        quiet.append(gate.quiet_windows)
    assert quiet == [0, 0, 1, 0, 1, 2, 0, 0]


def test_it_knows_how_soon_it_may_change() -> None:
    gate = Gate(min_speech_s=0.064, hang_s=0.128)
    soonest = []
    for probability in (0.1, 0.9, 0.9, 0.9, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1):
        gate.step(probability)
        soonest.append(next(n for n in range(1, 9) if gate.may_change_within(n)))
    assert soonest == [2, 1, 4, 4, 3, 4, 3, 2, 1, 2, 2]


@given(st.lists(st.floats(0, 1), max_size=60))
def test_it_never_changes_sooner(probabilities: list[float]) -> None:
    gate = Gate()
    calm_windows = 0
    for probability in probabilities:
        surely = max((n for n in range(1, 8) if not gate.may_change_within(n)), default=0)
        calm_windows = max(calm_windows, surely)
        assert not (gate.step(probability) and calm_windows)
        calm_windows -= calm_windows > 0


def test_a_window_against_what_holds_may_be_a_turn() -> None:
    gate = Gate(min_speech_s=0.064, hang_s=0.096)
    found = []
    for probability in (0.1, 0.9, 0.9, 0.9, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1):
        gate.step(probability)
        found.append(gate.turning)
    still, turning = False, True
    assert found == [still, turning, still, still, turning, still, turning, turning, still, still]


def test_speech_starts_anew_after_silence() -> None:
    gate = Gate(min_speech_s=0.064, hang_s=0.064)
    told = play(gate, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9)
    assert told == [
        SpeechStarted(0.0),
        SpeechStopped(2 * WINDOW_S),
        SpeechStarted(4 * WINDOW_S),
    ]


def test_no_patience_at_all_is_one_window() -> None:
    gate = Gate(min_speech_s=0.0, hang_s=0.0)
    assert play(gate, 0.9, 0.1) == [SpeechStarted(0.0), SpeechStopped(WINDOW_S)]


@pytest.mark.parametrize("bad", [{"start": 0.3}, {"stop": 0.0}, {"start": 1.0, "stop": 0.5}])
def test_thresholds_in_the_wrong_order_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="0 < stop <= start < 1"):
        Gate(**bad)


@pytest.mark.parametrize("bad", [{"min_speech_s": -1.0}, {"hang_s": -0.1}])
def test_negative_times_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        Gate(**bad)


@given(
    st.lists(st.floats(0, 1), max_size=300),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
)
def test_events_alternate_and_their_times_only_grow(
    probabilities: list[float], min_speech_s: float, hang_s: float
) -> None:
    gate = Gate(min_speech_s=min_speech_s, hang_s=hang_s)
    last_s, speaking = 0.0, False
    for probability in probabilities:
        event = gate.step(probability)
        if event is None:
            continue
        assert isinstance(event, SpeechStopped if speaking else SpeechStarted)
        assert last_s <= event.at_s < gate.now_s
        last_s, speaking = event.at_s, not speaking
        assert gate.speaking is speaking


@given(st.lists(st.floats(0, 1), max_size=200))
def test_the_same_sound_gives_the_same_events(probabilities: list[float]) -> None:
    assert play(Gate(), *probabilities) == play(Gate(), *probabilities)


@given(st.lists(st.floats(0, 0.34), max_size=200))
def test_silence_is_silent(probabilities: list[float]) -> None:
    assert play(Gate(), *probabilities) == []
