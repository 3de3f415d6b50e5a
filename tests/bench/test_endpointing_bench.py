import numpy as np
import pytest

from endpointing import RULES, Pause, Rule, delay_s, thin, weigh, write_table
from pauses import PAUSES_S, Saying, find_pauses, is_sentence, pause_s, trim
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.talk.endpointing import Policy

PLAIN, WORDS, SOUND, *_ = RULES
END = Pause("end", None, "Book a table.", 0.97, 0.05, 0.27)
MIDDLE = Pause("middle", 0.8, "My name is", 0.9, 0.05, 0.27)


def tone(seconds: float) -> Samples:
    return np.full(int(seconds * EAR_RATE_HZ), 0.5, np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * EAR_RATE_HZ), np.float32)


def test_pauses_are_spread_over_their_span() -> None:
    lengths = [pause_s(index) for index in range(200)]
    assert min(lengths) >= PAUSES_S[0]
    assert max(lengths) <= PAUSES_S[1]
    assert np.median(lengths) == pytest.approx((PAUSES_S[0] * PAUSES_S[1]) ** 0.5, rel=0.05)


def test_a_pause_well_inside_is_found() -> None:
    sound = np.concatenate([tone(1.0), silence(0.3), tone(1.0), silence(0.3), tone(0.2)])
    ((begin, end),) = find_pauses(sound)
    assert (begin / EAR_RATE_HZ, end / EAR_RATE_HZ) == pytest.approx((1.0, 1.3), abs=0.02)


def test_silence_around_is_trimmed() -> None:
    assert len(trim(np.concatenate([silence(0.5), tone(1.0), silence(0.5)]))) == EAR_RATE_HZ


@pytest.mark.parametrize(
    ("text", "verdict"), [("Thank you.", True), ("More than...", False), ("and you", False)]
)
def test_sentences_are_told_from_beginnings(text: str, verdict: bool) -> None:
    assert is_sentence(text) is verdict


def test_the_core_answers_when_the_rule_says() -> None:
    assert delay_s(END, PLAIN) == pytest.approx(0.55)
    assert delay_s(END, WORDS) == pytest.approx(0.5)
    assert delay_s(END, SOUND) == pytest.approx(0.45)
    assert delay_s(MIDDLE, WORDS) == pytest.approx(1.55)


def test_nothing_is_answered_before_it_is_transcribed() -> None:
    hasty = Rule("hasty", Policy(patience_s=0.1), words=False, sound=False)
    assert delay_s(END, hasty) == pytest.approx(0.36)


def test_cut_ins_and_delays_are_counted() -> None:
    assert weigh([MIDDLE, END], PLAIN).cut_ins == 100
    outcome = weigh([MIDDLE, END], WORDS)
    assert outcome.cut_ins == 0
    assert outcome.p50_ms == pytest.approx(500)


def test_the_table_has_a_row_for_each_kind() -> None:
    table = write_table([MIDDLE, END])
    assert "| middle | 1 | 100 | 0 |" in table
    assert "| end | 1 | 550 / 550 |" in table


def test_a_quick_run_keeps_some_of_each_kind() -> None:
    sayings = [Saying(kind, "", ()) for kind in "aaaaabb"]
    assert [saying.kind for saying in thin(sayings, 5)] == ["a", "b"]
