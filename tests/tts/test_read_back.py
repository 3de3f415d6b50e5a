"""What is written, cut, made speakable, spoken and heard again is still what was meant."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import soxr

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.models import MODELS_DIR
from sayso.stt.moonshine import Moonshine
from sayso.tts.hibari import SHAPES, HibariTts
from sayso.tts.sentences import Sentences
from sayso.tts.spoken import speakable

pytestmark = pytest.mark.speech

SAYINGS = (
    "Sure, I can move your appointment to Thursday at three in the afternoon.",
    "I'm sorry, I didn't catch that, could you say it again?",
    "There is a table for four available at seven tonight.",
    "Please turn the device off and on again.",
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stt() -> AsyncIterator[Moonshine]:
    engine = Moonshine(EngineConfig(models_dir=MODELS_DIR))
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture(scope="module")
async def tts() -> AsyncIterator[HibariTts]:
    engine = HibariTts(EngineConfig(models_dir=MODELS_DIR))
    await engine.open()
    yield engine
    await engine.close()


async def say(tts: HibariTts, text: str, voice: str = "heart") -> Samples:
    """All of a reply, as a caller gets it, at the ears' rate."""
    sentences = Sentences()
    pieces = [np.zeros(0, np.float32)]
    for clause in [*sentences.feed(text), *sentences.finish()]:
        async for sound in tts.speak(speakable(clause), voice=voice):
            pieces += [sound, np.zeros(tts.sample_rate_hz // 5, np.float32)]
    whole = np.concatenate(pieces)
    return np.asarray(soxr.resample(whole, tts.sample_rate_hz, EAR_RATE_HZ), np.float32)


@pytest.mark.parametrize("voice", SHAPES)
async def test_every_voice_is_understood(tts: HibariTts, stt: Moonshine, voice: str) -> None:
    errors = speech.Errors(0, 0)
    for text in SAYINGS:
        heard = await stt.transcribe(await say(tts, text, voice), "english")
        errors += speech.count_errors(text, heard)
    assert errors.rate <= 0.04


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("## Opening hours\n- **Monday**: nine to five", "opening hours monday nine to five"),
        ("Read [our house rules](https://example.com/a?b=1) first.", "read our house rules first"),
        ("Please visit https://www.example.com/path today.", "please visit example dot com today"),
        ("That will be 20 € for you.", "that will be twenty euros for you"),
        ("Great news! 🎉 Your order is ready.", "great news your order is ready"),
        ("Take room No. 5, please.", "take room number five please"),
        ("Use version v1.2.3 of it.", "use version one point two point three of it"),
        ("We open Mon-Fri at noon.", "we open monday to friday at noon"),
        (
            "He is 5'10\" tall, or 1.8 m.",
            "he is five feet ten inches tall or one point eight meters",
        ),
        ("It costs >$5bn.", "it costs more than five billion dollars"),
        ("Come on 31.12.2024, please.", "come on december thirty first twenty twenty four please"),
        ("Prices are $5-10/month.", "prices are five to ten dollars per month"),
        (
            "We open at 9:30 and close at 5 p.m. on Friday.",
            "we open at 9 30 and close at 5 pm on friday",
        ),
    ],
)
async def test_what_was_meant_is_heard(
    tts: HibariTts, stt: Moonshine, written: str, meant: str
) -> None:
    heard = await stt.transcribe(await say(tts, written), "english")
    # The ears write digits where they hear numbers.
    wrong = [speech.count_errors(meant, text).wrong for text in (heard, speakable(heard))]
    assert min(wrong) <= 1, heard


async def test_a_telephone_number_is_read_digit_by_digit(tts: HibariTts, stt: Moonshine) -> None:
    heard = await stt.transcribe(await say(tts, "Please call (555) 123-4567 today."), "english")
    assert "5551234567" in "".join(character for character in heard if character.isdigit())


async def test_code_is_left_out(tts: HibariTts, stt: Moonshine) -> None:
    text = "Here is how it works.\n```py\nprint('banana')\n```\nThat is all there is."
    heard = (await stt.transcribe(await say(tts, text), "english")).lower()
    assert "banana" not in heard
    assert "that is all" in heard


async def test_two_transcripts_at_once_do_not_mix() -> None:
    stt = Moonshine(EngineConfig(models_dir=MODELS_DIR, workers=2))
    tts = HibariTts(EngineConfig(models_dir=MODELS_DIR, workers=2))
    await asyncio.gather(stt.open(), tts.open())
    sounds = await asyncio.gather(*(say(tts, text) for text in SAYINGS))
    alone = [await stt.transcribe(sound, "english") for sound in sounds]
    at_once = await asyncio.gather(*(stt.transcribe(sound, "english") for sound in sounds))
    assert at_once == alone
    await stt.close()
    await tts.close()
