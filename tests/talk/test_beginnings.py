from __future__ import annotations

from sayso.talk.beginnings import MAX_STRETCHES, Beginnings
from sayso.talk.events import Event, Heard, SpeechStarted, Tick, Typed


def heard(text: str) -> Event:
    return Heard(9.0, text)


def test_a_line_begins_with_its_first_stretch_of_speech() -> None:
    known = Beginnings()
    known.note(SpeechStarted(1.2, since_s=1.0), 101.2, wordless=True)
    known.note(Tick(2.0), 102.0, wordless=True)
    known.note(SpeechStarted(3.0), 103.0, wordless=True)
    known.note(heard("Hello"), 103.5, wordless=True)
    assert known.take("user") == 101.0
    assert known.take("user") is None


def test_a_cough_is_no_beginning() -> None:
    known = Beginnings()
    known.note(SpeechStarted(1.0), 101.0, wordless=True)
    known.note(heard(" "), 101.5, wordless=True)
    known.note(heard(""), 101.6, wordless=True)
    known.note(SpeechStarted(3.0), 103.0, wordless=True)
    known.note(heard("Hello"), 104.0, wordless=True)
    known.note(heard(""), 105.0, wordless=False)
    assert known.take("user") == 103.0


def test_what_is_typed_begins_at_once() -> None:
    known = Beginnings()
    known.note(Typed(1.0, "Hello"), 101.0, wordless=True)
    assert known.take("user") == 101.0


def test_a_reply_begins_when_it_sounds() -> None:
    known = Beginnings()
    assert known.take("assistant") is None
    known.sounds(107.0)
    assert known.take("assistant") == 107.0


def test_no_more_is_kept_than_is_needed() -> None:
    known = Beginnings()
    for at in range(MAX_STRETCHES + 5):
        known.note(SpeechStarted(float(at)), float(at), wordless=True)
    assert known.take("user") == 5.0
