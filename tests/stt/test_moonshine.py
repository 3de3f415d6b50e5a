import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR, locate
from sayso.stt import Stt, Transcript
from sayso.stt.moonshine import (
    LONGEST_NOD_S,
    MAX_PIECE_S,
    MAX_SOUND_S,
    MIN_PIECE_S,
    Moonshine,
    Transcriber,
    cut_quietly,
    empty_past,
    is_hallucinated,
    is_wordless,
    join_pieces,
    read_pieces,
    spell,
    surprises_of,
    surround,
)

needs_speech = pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stt() -> AsyncIterator[Stt]:
    config = EngineConfig(models_dir=MODELS_DIR, workers=2)
    engine: Stt = load_engine("sayso.stt", "moonshine", config)
    await engine.open()
    yield engine
    await engine.close()


@needs_speech
@pytest.mark.speech
async def test_speech_is_written_down(stt: Stt) -> None:
    errors = speech.Errors(0, 0)
    for recording in speech.sentences(count=20):
        heard = await stt.transcribe(recording.samples, "english")
        errors += speech.count_errors(recording.text, heard)
    assert errors.rate <= 0.06


@needs_speech
@pytest.mark.speech
async def test_a_telephone_line_does_no_harm(stt: Stt) -> None:
    errors = speech.Errors(0, 0)
    for recording in speech.sentences(count=20):
        heard = await stt.transcribe(speech.over_the_phone(recording.samples), "english")
        errors += speech.count_errors(recording.text, heard)
    assert errors.rate <= 0.06


@needs_speech
@pytest.mark.speech
async def test_long_speech_is_cut_and_joined(stt: Stt) -> None:
    some = [p for p in speech.sentences(count=40) if p.seconds > 3][:8]
    pause = np.zeros(EAR_RATE_HZ // 2, np.float32)
    sound = np.concatenate([part for p in some for part in (p.samples, pause)])
    assert len(sound) > 1.5 * MAX_PIECE_S * EAR_RATE_HZ
    heard = await stt.transcribe(sound, "english")
    assert speech.count_errors(" ".join(p.text for p in some), heard).rate <= 0.12


async def test_silence_and_noise_say_nothing(stt: Stt) -> None:
    faint = np.random.default_rng(0).normal(0, 0.001, EAR_RATE_HZ).astype(np.float32)
    for sound in (np.zeros(EAR_RATE_HZ, np.float32), faint, faint[:100], faint[:0]):
        assert await stt.transcribe(sound, "english") == ""


async def test_another_language_is_refused_with_a_way_out(stt: Stt) -> None:
    with pytest.raises(SpeechError, match="English only, not french") as caught:
        await stt.transcribe(np.zeros(EAR_RATE_HZ, np.float32), "french")
    assert caught.value.hint is not None
    assert "SAYSO_STT=openai" in caught.value.hint


async def test_too_much_sound_is_refused(stt: Stt) -> None:
    sound = np.zeros(int(MAX_SOUND_S * EAR_RATE_HZ) + 1, np.float32)
    with pytest.raises(SpeechError, match="at most 120 s"):
        await stt.transcribe(sound, "english")


async def test_a_closed_engine_says_so() -> None:
    engine = Moonshine(EngineConfig(models_dir=MODELS_DIR))
    with pytest.raises(SpeechError, match="not open"):
        await engine.transcribe(np.zeros(EAR_RATE_HZ, np.float32), "english")
    await engine.close()


async def test_a_missing_model_is_a_sentence(tmp_path: Path) -> None:
    engine = Moonshine(EngineConfig(models_dir=tmp_path))
    with pytest.raises(InstallationError, match="speech to text model"):
        await engine.open()
    await engine.close()


async def test_a_transcript_that_comes_too_late_is_an_error() -> None:
    engine = Moonshine(EngineConfig(models_dir=MODELS_DIR, timeout_s=0.02))
    await engine.open()
    go = threading.Event()

    class Slow(Transcriber):
        def __init__(self) -> None:
            """No model."""

        def transcribe(self, samples: Samples) -> Transcript:
            go.wait(5)
            return Transcript("")

    engine._model = Slow()
    begin = time.perf_counter()
    with pytest.raises(SpeechError, match=r"no transcript came within 0\.02 s") as caught:
        await engine.transcribe(np.zeros(EAR_RATE_HZ, np.float32), "english")
    assert time.perf_counter() - begin < 1
    assert "SAYSO_STT_WORKERS helps only where cores are idle" in str(caught.value.hint)
    go.set()
    await engine.close()


class Parrot:
    """A decoder that says the same token for ever, as a real one does now and then."""

    def __init__(self, token: int = 3) -> None:
        self.token = token
        self.likes = 1.0
        self.runs = 0

    def get_outputs(self) -> list[Any]:
        return []

    def run(self, _: None, feed: dict[str, Any]) -> list[Any]:
        if "input_values" in feed:
            return [np.zeros((1, 4, 288), np.float32)]
        self.runs += 1
        logits = np.zeros((1, feed["input_ids"].shape[1], 8), np.float32)
        logits[0, :, self.token] = self.likes
        return [logits]


def parrot(token: int = 3, pieces: list[bytes] | None = None) -> tuple[Transcriber, Parrot]:
    model = Parrot(token)
    words = pieces or [b"<unk>", b"<s>", b"</s>", "▁again".encode(), b"!"]
    transcriber = Transcriber(model, model, words)
    transcriber._outputs = ["logits"]
    return transcriber, model


def test_a_decoder_that_repeats_itself_is_stopped() -> None:
    transcriber, model = parrot()
    text = transcriber.transcribe(np.full(2 * EAR_RATE_HZ, 0.1, np.float32))
    assert model.runs == 4 + 13
    assert text == " ".join(["again"] * 17)


def test_how_sure_it_is_goes_with_the_words() -> None:
    transcriber, model = parrot()
    text = transcriber.transcribe(np.full(EAR_RATE_HZ, 0.1, np.float32))
    assert text.confidence == pytest.approx(np.e / (np.e + 7))
    model.token = 2
    assert transcriber.transcribe(np.full(EAR_RATE_HZ, 0.1, np.float32)).confidence is None


def test_a_nod_that_is_as_likely_is_told_with_the_words() -> None:
    """This model finds all tokens alike but one: whatever it says, "Haha." is as likely."""
    transcriber, model = parrot()
    transcriber._nods = [(4, 4)]
    model.likes = 0.01
    text = transcriber.transcribe(np.full(EAR_RATE_HZ // 4, 0.1, np.float32))
    assert text.nod == pytest.approx(8.0 ** (len(text.split()) - 3), rel=0.1)


def test_a_nod_that_begins_unlike_anything_heard_costs_nothing() -> None:
    transcriber, model = parrot()
    transcriber._nods = [(4, 4)]
    model.likes = 20.0
    text = transcriber.transcribe(np.full(EAR_RATE_HZ // 4, 0.1, np.float32))
    assert (text.nod, model.runs) == (0.0, len(text.split()))


def test_in_long_sound_no_nod_is_looked_for() -> None:
    transcriber, _ = parrot()
    sound = np.full(int((LONGEST_NOD_S + 0.1) * EAR_RATE_HZ), 0.1, np.float32)
    assert transcriber.transcribe(sound).nod is None


def test_surprise_is_minus_the_logarithm_of_probability() -> None:
    surprises = surprises_of(np.log(np.array([0.2, 0.7, 0.1], np.float32)))
    assert np.exp(-surprises) == pytest.approx([0.2, 0.7, 0.1])


def test_the_end_token_ends() -> None:
    transcriber, model = parrot(token=2)
    assert transcriber.transcribe(np.full(EAR_RATE_HZ, 0.1, np.float32)) == ""
    assert model.runs == 1


def test_punctuation_alone_is_no_transcript() -> None:
    transcriber, _ = parrot(token=4)
    assert transcriber.transcribe(np.full(EAR_RATE_HZ, 0.1, np.float32)) == ""


def test_a_failure_inside_is_a_speech_error() -> None:
    transcriber, model = parrot()
    del model.token
    with pytest.raises(SpeechError, match="the speech-to-text model failed"):
        transcriber.transcribe(np.zeros(EAR_RATE_HZ, np.float32))


def test_the_vocabulary_is_read_whole() -> None:
    pieces = read_pieces(locate("moonshine-tiny-en-tokenizer.bin").read_bytes())
    assert len(pieces) == 32_768
    assert pieces[:3] == [b"<unk>", b"<s>", b"</s>"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("I see.", 3), ("Uh-huh.", 6), ("Oh, wow.", 5), ("Ha ha ha!", 4), ("Mm-hmm.", 6)],
)
def test_text_is_spelled_as_the_model_does(text: str, tokens: int) -> None:
    pieces = read_pieces(locate("moonshine-tiny-en-tokenizer.bin").read_bytes())
    spelled = spell(text, pieces)
    assert join_pieces(pieces[token] for token in spelled) == text
    assert len(spelled) == tokens


def test_what_cannot_be_spelled_has_no_tokens() -> None:
    assert spell("no", ["▁".encode(), b"n"]) == ()


def test_long_pieces_have_two_length_bytes() -> None:
    assert read_pieces(b"\x02ab" + b"\x90\x01" + b"c" * 144) == [b"ab", b"c" * 144]


def test_pieces_are_joined_to_text() -> None:
    assert join_pieces([b"<s>", "▁Hel".encode(), b"lo", "▁you".encode(), b"</s>"]) == "Hello you"
    assert join_pieces(["▁caf".encode(), b"\xc3", b"\xa9"]) == "café"
    assert join_pieces([b"\xc3"]) == "�"


@pytest.mark.parametrize(
    ("text", "level", "verdict"),
    [("You", 0.001, True), (" you. ", 0.001, True), ("You", 0.1, False), ("you too", 0.001, False)],
)
def test_a_lone_you_of_faint_sound_is_dropped(text: str, level: float, verdict: bool) -> None:
    assert is_hallucinated(text, np.full(1_600, level, np.float32)) is verdict


def test_music_notes_are_no_words() -> None:
    assert is_wordless("♪♪♪ �")
    assert not is_wordless("No.")


def test_the_past_is_empty_at_first() -> None:
    past = empty_past()
    assert len(past) == 24
    assert all(value.shape == (1, 8, 0, 36) for value in past.values())


def test_a_little_silence_is_put_around() -> None:
    sound = surround(np.ones(100, np.float32))
    assert sound.dtype == np.float32
    assert len(sound) == 1_600 + 100 + 3_200
    assert sound.sum() == 100


def test_short_sound_stays_whole() -> None:
    sound = np.ones(int(MAX_PIECE_S * EAR_RATE_HZ), np.float32)
    (piece,) = cut_quietly(sound)
    assert piece is sound


def test_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = np.ones(40 * EAR_RATE_HZ, np.float32)
    quiet = 11 * EAR_RATE_HZ
    sound[quiet - 1_600 : quiet + 1_600] = 0
    pieces = cut_quietly(sound)
    assert abs(len(pieces[0]) - quiet) <= 1_600
    assert np.array_equal(np.concatenate(pieces), sound)
    assert all(len(piece) >= MIN_PIECE_S * EAR_RATE_HZ for piece in pieces[:-1])
    assert all(len(piece) <= MAX_PIECE_S * EAR_RATE_HZ for piece in pieces)
