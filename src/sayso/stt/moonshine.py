"""Moonshine tiny-en on ONNX Runtime: the bundled ears, English only.

A turn of 2-5 s takes about 90 ms of one core. The encoder runs once; the decoder then picks the
likeliest next piece, greedily, keeping its keys and values between steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.errors import LESS_WORK, SpeechError
from sayso.models import locate
from sayso.models.session import open_session
from sayso.stt import Transcript

LAYERS, HEADS, HEAD_SIZE = 6, 8, 36
START_TOKEN, END_TOKEN = 1, 2

TOKENS_PER_S = 6.5
"""Nobody speaks faster; a decoder that goes on has begun to repeat itself."""

MIN_TOKENS = 4
MIN_SAMPLES = 1_600
"""Under 0.1 s the encoder's strides leave nothing to decode, and there is no word that short."""

MAX_PIECE_S = 15.0
"""Longest sound decoded at once; longer sound is cut at its quietest moment."""

MIN_PIECE_S = 8.0
QUIET_S = 0.1
MAX_SOUND_S = 120.0

SILENCE_BEFORE_S, SILENCE_AFTER_S = 0.1, 0.2
"""Put around each piece: on 342 tightly cut prompts it lowers the word error rate from 5.4 % to
3.7 %, for 8 ms. Making all sound equally loud changed nothing."""

FAINT_RMS = 0.004
"""-48 dBFS. Silence, noise, clicks and tones come out as a lone "You"; so faint, it is that."""

NODS = (
    *("Uh-huh.", "Mm-hmm.", "Mm-hm.", "Mhm.", "Yeah.", "Yeah, okay.", "Okay.", "Right."),
    *("Mm-hmm, right.", "I see.", "Got it.", "Oh, wow.", "All right.", "Of course."),
    *("That's great.", "Ha ha ha!", "Ha, ha, ha.", "Haha.", "Hahaha!"),
)
"""What people say who listen. Misheard, each is still among the likelier things."""

LONGEST_NOD_S = 2.0
"""In longer sound nothing else than its words is looked for."""

MAX_NOD_SURPRISE = 3.5
"""A nod that is by so many nats less likely than the text is out of question."""

LANGUAGES = frozenset({"english", "en", "en-us", "en-gb"})


class Moonshine:
    """The engine; see `sayso.stt.Stt`. Each worker is one thread; all share the two sessions."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._model: Transcriber | None = None
        self._workers: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        self._workers = ThreadPoolExecutor(self._config.workers, thread_name_prefix="moonshine")
        loop = asyncio.get_running_loop()
        self._model = await loop.run_in_executor(
            self._workers, load_transcriber, self._config.models_dir
        )

    languages = LANGUAGES

    async def transcribe(self, samples: Samples, language: str) -> Transcript:
        """Write down 16 kHz `samples`, and how sure that is; "" when there are no words.

        Raises:
            SpeechError: `language` is not English, the sound is too long, or the transcript did
                not come in time.
        """
        refuse_other_languages(language)
        if len(samples) > MAX_SOUND_S * EAR_RATE_HZ:
            raise SpeechError(f"at most {MAX_SOUND_S:g} s of sound are transcribed at once")
        if self._model is None or self._workers is None:
            raise SpeechError("the speech-to-text engine is not open")
        work = asyncio.get_running_loop().run_in_executor(
            self._workers, self._model.transcribe, samples
        )
        try:
            return await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError as error:
            raise SpeechError(
                f"no transcript came within {self._config.timeout_s:g} s; this machine is too busy",
                hint=f"{LESS_WORK}; SAYSO_STT_WORKERS helps only where cores are idle.",
            ) from error

    async def close(self) -> None:
        """Let go of the model; a transcription under way is left to end by itself."""
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = self._model = None


_Feed: TypeAlias = dict[str, Any]
_Row: TypeAlias = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Path:
    """The tokens a decoder has chosen, and how surprising each was, in nats.

    Attributes:
        all: the sum, that of the end token included.
        first: how surprising each token would have been as the first.
    """

    tokens: list[int] = field(default_factory=list)
    surprises: list[float] = field(default_factory=list)
    all: float = 0.0
    first: _Row = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was written down for a piece of sound."""

    text: str
    surprises: Sequence[float]
    nod: float | None


_NOTHING = _Piece("", (), None)


class Transcriber:
    """The model itself, without threads or time; may be called from several threads at once."""

    def __init__(self, encoder: Any, decoder: Any, pieces: list[bytes]) -> None:  # noqa: ANN401
        self._encoder = encoder
        self._decoder = decoder
        self._pieces = pieces
        self._nods = [tokens for nod in NODS if (tokens := spell(nod, pieces))]
        self._outputs = [output.name for output in decoder.get_outputs()]

    def transcribe(self, samples: Samples) -> Transcript:
        """Write down 16 kHz `samples` of any length. Raises SpeechError."""
        sound = np.asarray(samples, np.float32)
        try:
            pieces = [self._transcribe_piece(piece) for piece in cut_quietly(sound)]
        except Exception as error:  # onnxruntime raises its own classes, straight below Exception
            raise SpeechError(f"the speech-to-text model failed: {error}") from error
        written = [piece for piece in pieces if piece.text]
        surprises = [surprise for piece in written for surprise in piece.surprises]
        sure = float(np.exp(-np.mean(surprises))) if surprises else None
        nod = written[0].nod if len(written) == 1 else None
        return Transcript(" ".join(piece.text for piece in written), sure, nod)

    def _transcribe_piece(self, sound: Samples) -> _Piece:
        if len(sound) < MIN_SAMPLES:
            return _NOTHING
        limit = MIN_TOKENS + int(len(sound) / EAR_RATE_HZ * TOKENS_PER_S)
        heard = self._encode(surround(sound))
        path = self._decode(heard, limit)
        text = join_pieces(self._pieces[token] for token in path.tokens)
        if is_wordless(text) or is_hallucinated(text, sound):
            return _NOTHING
        short = len(sound) <= LONGEST_NOD_S * EAR_RATE_HZ
        return _Piece(text, path.surprises, self._weigh_nods(heard, path) if short else None)

    def _encode(self, sound: Samples) -> _Feed:
        """What every step of the decoder needs."""
        mask = np.ones((1, len(sound)), np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": sound[None], "attention_mask": mask})
        # The mask keeps the length of the SOUND: the frames' length works by luck up to 8 s.
        return {"encoder_attention_mask": mask, "encoder_hidden_states": hidden}

    def _decode(self, heard: _Feed, limit: int) -> _Path:
        """The likeliest tokens of one piece of sound, at most `limit`."""
        feed = {**heard, **empty_past()}
        path = _Path()
        token, cached = START_TOKEN, False
        while len(path.tokens) < limit:
            feed["input_ids"] = np.array([[token]], np.int64)
            feed["use_cache_branch"] = np.array([cached])
            logits, *present = self._decoder.run(None, feed)
            surprise = surprises_of(logits[0, -1])
            token = int(surprise.argmin())
            path.all += float(surprise[token])
            path.first = path.first if cached else surprise
            if token == END_TOKEN:
                break
            path.tokens.append(token)
            path.surprises.append(float(surprise[token]))
            self._remember(feed, present, first=not cached)
            cached = True
        return path

    def _weigh_nods(self, heard: _Feed, path: _Path) -> float:
        """How likely the likeliest nod is, against the path taken; 0 if it is out of question.

        Most are, by their first token alone, and cost nothing.
        """
        least = path.all + MAX_NOD_SURPRISE
        for nod in self._nods:
            if path.first[nod[0]] < least:
                least = min(least, self._surprise_of(heard, nod))
        return float(np.exp(path.all - least)) if least < path.all + MAX_NOD_SURPRISE else 0.0

    def _surprise_of(self, heard: _Feed, tokens: Sequence[int]) -> float:
        """How surprising it would be to hear just these."""
        feed = {
            **heard,
            **empty_past(),
            "input_ids": np.array([[START_TOKEN, *tokens]], np.int64),
            "use_cache_branch": np.array([False]),
        }
        rows = self._decoder.run(None, feed)[0][0]
        steps = zip(rows, (*tokens, END_TOKEN), strict=True)
        return float(sum(surprises_of(row)[token] for row, token in steps))

    def _remember(self, feed: dict[str, Any], present: list[Any], *, first: bool) -> None:
        """Keep the decoder's keys and values of each step, the encoder's of the first only."""
        for name, value in zip(self._outputs[1:], present, strict=True):
            if first or ".decoder." in name:
                feed[name.replace("present", "past_key_values")] = value


def surprises_of(logits: _Row) -> _Row:
    """How surprising each token is: minus the logarithm of its probability."""
    most = logits.max()
    return np.asarray(most + np.log(np.exp(logits - most).sum()) - logits, np.float32)


def spell(text: str, pieces: Sequence[bytes]) -> tuple[int, ...]:
    """The tokens of `text`; none if it cannot be spelled.

    Of all neighbours, those join first whose piece comes first in the vocabulary.
    """
    numbers = {piece: number for number, piece in enumerate(pieces)}
    parts = [letter.encode() for letter in f"▁{text.replace(' ', '▁')}"]
    while len(parts) > 1:
        pairs = [
            numbers.get(parts[at] + parts[at + 1], len(pieces)) for at in range(len(parts) - 1)
        ]
        best = min(pairs)
        if best == len(pieces):
            break
        at = pairs.index(best)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(numbers[part] for part in parts) if numbers.keys() >= set(parts) else ()


def load_transcriber(models_dir: Path) -> Transcriber:
    """Load and warm the model. Raises InstallationError if it is missing or damaged."""
    encoder = open_session(locate("moonshine-tiny-en-encoder.ort", models_dir))
    decoder = open_session(locate("moonshine-tiny-en-decoder.ort", models_dir))
    pieces = read_pieces(locate("moonshine-tiny-en-tokenizer.bin", models_dir).read_bytes())
    transcriber = Transcriber(encoder, decoder, pieces)
    transcriber.transcribe(np.zeros(EAR_RATE_HZ, np.float32))
    return transcriber


def refuse_other_languages(language: str) -> None:
    """Raise SpeechError unless `language` is English: other speech becomes invented words."""
    if language.lower() not in LANGUAGES:
        raise SpeechError(
            f"the bundled speech-to-text engine understands English only, not {language}",
            hint="Set SAYSO_STT=openai and SAYSO_STT_OPTIONS with the `url` of a server that "
            "transcribes this language, or set the agent's language to english.",
        )


def empty_past() -> dict[str, npt.NDArray[np.float32]]:
    """The keys and values of no steps at all, by the decoder's input names."""
    empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
    return {
        f"past_key_values.{layer}.{side}.{part}": empty
        for layer in range(LAYERS)
        for side in ("decoder", "encoder")
        for part in ("key", "value")
    }


def read_pieces(content: bytes) -> list[bytes]:
    """The vocabulary of `tokenizer.bin`: pieces after their length, of one byte or two."""
    pieces: list[bytes] = []
    at = 0
    while at < len(content):
        length = content[at]
        at += 1
        if length >= 128:
            length = (length & 127) | content[at] << 7
            at += 1
        pieces.append(content[at : at + length])
        at += length
    return pieces


def surround(sound: Samples) -> Samples:
    """The sound with a little silence around it."""
    before, after = int(SILENCE_BEFORE_S * EAR_RATE_HZ), int(SILENCE_AFTER_S * EAR_RATE_HZ)
    return np.pad(sound, (before, after))


def join_pieces(pieces: Any) -> str:  # noqa: ANN401 - any iterable of bytes
    """Text of vocabulary pieces: "▁" is a space, `<s>` and its like are nothing."""
    spoken = (piece for piece in pieces if not (piece.startswith(b"<") and piece.endswith(b">")))
    text = b"".join(spoken).decode("utf-8", errors="replace")
    return text.replace("▁", " ").strip()


def is_wordless(text: str) -> bool:
    """Whether nothing was said: music and pure silence come out as a row of "♪"."""
    return not any(character.isalnum() for character in text)


def is_hallucinated(text: str, sound: Samples) -> bool:
    """Whether `text` is the lone "you" that this model hears in sound without speech."""
    if text.strip(" .!?,").lower() != "you":
        return False
    return float(np.sqrt(np.mean(np.square(sound)))) < FAINT_RMS


def cut_quietly(sound: Samples) -> list[Samples]:
    """Cut sound longer than 15 s where it is quietest between 8 s and 15 s, again and again."""
    pieces: list[Samples] = []
    while len(sound) > MAX_PIECE_S * EAR_RATE_HZ:
        at = _find_quiet(sound)
        pieces.append(sound[:at])
        sound = sound[at:]
    return [*pieces, sound]


def _find_quiet(sound: Samples) -> int:
    """The middle of the quietest 0.1 s of the span in which a cut may fall, as a sample index."""
    width = int(QUIET_S * EAR_RATE_HZ)
    begin = int(MIN_PIECE_S * EAR_RATE_HZ)
    span = sound[begin : int(MAX_PIECE_S * EAR_RATE_HZ)]
    blocks = span[: len(span) // width * width].reshape(-1, width)
    return begin + int(np.square(blocks).mean(1).argmin()) * width + width // 2
