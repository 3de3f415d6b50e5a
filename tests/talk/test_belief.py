"""What is believed of a transcript."""

from __future__ import annotations

import pytest

from sayso.talk.belief import SURE, is_sure
from sayso.talk.events import (
    Answer,
    Attend,
    Glimpsed,
    Heard,
    Hold,
    Hush,
    ReplyPlayed,
    Resume,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Typed,
)
from sayso.talk.state import Phase
from turns import SPEAKING, asked, run


class TestNoiseWrittenDown:
    def test_over_a_reply_is_a_cough(self) -> None:
        _, said = run(
            SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, "You", 0.2), turn=SPEAKING
        )
        assert said == [Hold(1), Resume(1)]

    def test_in_silence_is_not_answered(self) -> None:
        turn, said = run(
            SpeechStarted(1.0), SpeechStopped(1.5, 1.3), Heard(1.6, "Uh?", 0.3), Tick(1.8)
        )
        assert (turn.phase, said) == (Phase.IDLE, [Attend()])

    def test_as_a_grunt_is_not_answered_if_nothing_was_asked(self) -> None:
        turn, said = run(
            ReplyPlayed(5.0, 1),
            SpeechStarted(6.0),
            SpeechStopped(6.5, 6.3),
            Heard(6.6, "Uh-huh.", 0.3),
            Tick(6.8),
            turn=SPEAKING,
        )
        assert (turn.phase, said) == (Phase.IDLE, [Attend()])

    def test_as_a_grunt_answers_a_question(self) -> None:
        _, said = run(
            ReplyPlayed(5.0, 1, asks=True),
            SpeechStarted(6.0),
            SpeechStopped(6.5, 6.3),
            Heard(6.6, "Uh-huh.", 0.3),
            Tick(6.8),
            turn=SPEAKING,
        )
        assert said == [Attend(), Answer(2, "Uh-huh.")]

    def test_as_a_grunt_leaves_a_reply_in_the_making_alone(self) -> None:
        turn, _ = run(Typed(1.0, "Hi"))
        _, said = run(
            SpeechStarted(1.1), SpeechStopped(1.5, 1.3), Heard(1.6, "Uh-huh.", 0.3), turn=turn
        )
        assert said == [Hold(1), Resume(1)]

    def test_in_the_middle_of_words_is_believed(self) -> None:
        turn, _ = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "I would like"))
        turn, _ = run(
            SpeechStarted(2.4), SpeechStopped(2.8, 2.6), Heard(2.9, "this.", 0.2), turn=turn
        )
        assert turn.words == "I would like this."

    def test_of_unknown_length_is_believed(self) -> None:
        assert run(SpeechStarted(1.0), SpeechStopped(1.5, 1.3), Heard(1.6, "You"))[0].words == "You"


class TestADoubtfulTranscript:
    UNSURE = Heard(4.7, "Professor,", 0.5, confidence=0.2)
    NODLIKE = Heard(4.7, "Darted.", 0.5, confidence=0.7, nod=0.4)
    OVER = (SpeechStarted(4.0), SpeechStopped(4.6, 4.4))

    @pytest.mark.parametrize("heard", [UNSURE, NODLIKE])
    def test_lets_a_reply_go_on(self, heard: Heard) -> None:
        assert run(*self.OVER, heard, turn=SPEAKING)[1] == [Hold(1), Resume(1)]

    @pytest.mark.parametrize("heard", [UNSURE, NODLIKE])
    def test_is_believed_where_nothing_sounds(self, heard: Heard) -> None:
        turn, _ = run(*self.OVER, heard)
        assert turn.words == heard.text

    @pytest.mark.parametrize("heard", [UNSURE, NODLIKE])
    def test_is_believed_while_an_answer_is_made(self, heard: Heard) -> None:
        turn, _ = run(*asked("Who is it?"))
        turn, _ = run(*self.OVER, heard, turn=turn)
        assert turn.words == f"Who is it? {heard.text}"

    def test_that_may_say_stop_ends_it(self) -> None:
        heard = Heard(4.7, "Hold on.", 0.5, confidence=0.2, nod=0.01)
        assert Hush(1) in run(*self.OVER, heard, turn=SPEAKING)[1]

    @pytest.mark.parametrize(
        ("text", "confidence", "nod", "ends"),
        [
            ("Father.", 0.3, 0.05, False),
            ("Father.", 0.3, 0.03, True),
            ("He'll.", 0.5, 0.3, True),
            ("Darted.", 0.5, 0.4, False),
            ("Wait.", 0.4, 0.4, True),
            ("No, wow.", 0.4, 0.6, False),
        ],
    )
    def test_is_a_nod_if_that_is_likely_against_what_was_written(
        self, text: str, confidence: float, nod: float, ends: bool
    ) -> None:
        heard = Heard(4.7, text, 0.5, confidence=confidence, nod=nod)
        assert (Hush(1) in run(*self.OVER, heard, turn=SPEAKING)[1]) is ends

    def test_ends_it_where_the_engine_has_not_said(self) -> None:
        assert Hush(1) in run(*self.OVER, Heard(4.7, "Professor,", 0.5), turn=SPEAKING)[1]


def test_an_engine_that_does_not_say_how_sure_it_is_is_believed() -> None:
    seen = [Glimpsed(4.5, "Actually", 0.5, sure) for sure in (None, SURE, SURE - 0.01)]
    assert [is_sure(one) for one in seen] == [True, True, False]
