import time

import numpy as np
import pytest

from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.stt import Stt

SOUND = np.zeros(1_600, np.float32)


def make(timeout_s: float = 10.0, **options: str) -> Stt:
    config = EngineConfig(models_dir=MODELS_DIR, timeout_s=timeout_s, options=options)
    engine: Stt = load_engine("sayso.stt", "scripted", config)
    return engine


async def test_one_text_comes_every_time() -> None:
    stt = make(text="hello")
    await stt.open()
    assert [await stt.transcribe(SOUND, "french") for _ in range(3)] == ["hello"] * 3
    await stt.close()


async def test_lines_come_in_turn_and_the_last_one_stays() -> None:
    stt = make(text='["one", "two"]')
    await stt.open()
    assert [await stt.transcribe(SOUND, "english") for _ in range(3)] == ["one", "two", "two"]
    await stt.open()
    assert await stt.transcribe(SOUND, "english") == "one"


async def test_without_a_script_nothing_is_heard() -> None:
    assert await make().transcribe(SOUND, "english") == ""


async def test_no_sound_takes_no_line() -> None:
    stt = make(text='["one", "two"]')
    assert await stt.transcribe(SOUND[:0], "english") == ""
    assert await stt.transcribe(SOUND, "english") == "one"


async def test_the_delay_is_kept() -> None:
    begin = time.perf_counter()
    await make(delay_ms="30").transcribe(SOUND, "english")
    assert time.perf_counter() - begin >= 0.03


async def test_a_delay_beyond_the_limit_is_an_error() -> None:
    with pytest.raises(SpeechError, match=r"no transcript came within 0\.01 s"):
        await make(0.01, delay_ms="5000").transcribe(SOUND, "english")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"text": "[oops"}, "not JSON"),
        ({"text": "[]"}, "a JSON list of texts"),
        ({"text": "[1]"}, "a JSON list of texts"),
        ({"delay_ms": "soon"}, "delay_ms"),
        ({"delay_ms": "-1"}, "delay_ms"),
    ],
)
def test_a_script_that_cannot_be_read_is_refused(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(InstallationError, match=complaint):
        make(15.0, **options)
