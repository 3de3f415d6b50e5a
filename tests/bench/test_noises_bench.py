import numpy as np
import pytest

import disturbances
from disturbances import Disturbance
from noises import Playing, Trial, narrow, write_table
from sayso.audio.formats import EAR_RATE_HZ
from sayso.caller import Caller, HeardReply, Told

SILENCE = np.zeros(EAR_RATE_HZ, np.float32)
PIECE = bytes(4 * 2400)  # a tenth of a second


def trial(kind: str, *, holes_s: list[float], hushed_s: list[float]) -> Trial:
    sound = Disturbance(kind, f"a {kind}", SILENCE)
    return Trial(sound, "clean", holes_s, hushed_s, [s - 0.5 for s in hushed_s], texts=["Hm?"])


def test_a_stop_is_wrong_if_the_reply_goes_on_and_all_else_if_it_ends() -> None:
    ended, went_on = {"holes_s": [], "hushed_s": [0.9]}, {"holes_s": [0.2], "hushed_s": []}
    assert trial("nod", **ended).wrong
    assert not trial("nod", **went_on).wrong
    assert trial("stop", **went_on).wrong
    assert not trial("stop", **ended).wrong


def test_the_table_has_a_row_for_each_kind_and_names_what_went_wrong() -> None:
    table = write_table(
        [
            trial("nod", holes_s=[0.2, 0.4], hushed_s=[1.0]),
            trial("stop", holes_s=[], hushed_s=[0.9]),
        ]
    )
    assert "| nod, clean | 3 | 1 | 200 / 400 | 500 / 500 | 1000 / 1000 | 0 of 1 |" in table
    assert "| stop, clean | 1 | 1 | – | 400 / 400 | 900 / 900 | 0 of 1 |" in table
    assert "- a nod, clean: 1 of 3 replies ended: Hm?" in table


def playing(*came_s: float) -> Playing:
    told = [Told(at_s, {"type": "audioStream"}) for at_s in came_s]
    caller = object.__new__(Caller)
    caller.told, reply = told, HeardReply(1, encoded=[PIECE] * len(came_s))
    caller.replies = [reply]
    return Playing.of(caller, reply)


def test_sound_that_comes_in_time_makes_no_hole() -> None:
    assert playing(0.0, 0.01, 0.15, 0.31).hole_s(since_s=0.0) == 0.0


def test_sound_that_comes_late_does() -> None:
    late = playing(0.0, 0.1, 0.7)
    assert late.hole_s(since_s=0.1) == pytest.approx(0.5)
    assert late.hole_s(since_s=0.3) == 0.0


def test_a_player_is_silent_when_it_runs_dry_or_is_told() -> None:
    assert playing(0.0, 0.1).silent_at_s(0.9) == pytest.approx(0.2)
    assert playing(0.0, 0.1).silent_at_s(0.15) == pytest.approx(0.15)


def test_a_telephone_has_no_sound_above_four_kilohertz() -> None:
    high = disturbances.ring(0.5, 6_000)
    assert np.abs(narrow(high)[2_000:-2_000]).max() < 0.01


@pytest.mark.parametrize("sound", [*disturbances.made()], ids=lambda sound: sound.name)
def test_every_sound_is_as_loud_as_it_says_and_clicks_nowhere(sound: Disturbance) -> None:
    assert sound.samples.dtype == np.float32
    assert 0.0 < np.abs(sound.samples).max() <= disturbances.SPEECH_LEVEL
    assert sound.samples[0] == sound.samples[-1] == 0.0
    assert sound.seconds > 0.1


def test_a_sound_is_the_same_each_time() -> None:
    assert np.array_equal(disturbances.coughs(2), disturbances.coughs(2))
    assert np.array_equal(disturbances.typing(1.0), disturbances.typing(1.0))


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("SCRATCH", "DOORS", "KEYS"):
        monkeypatch.setattr(disturbances, place, disturbances.SCRATCH / "nowhere")
    assert list(disturbances.recorded()) == []
