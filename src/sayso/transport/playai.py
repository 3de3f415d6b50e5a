"""PlayAI's messages as typed values, both directions (docs/reference/websocket.md).

All frames are JSON text; sound is base64 in `data`. Old clients' schemas are strict: an extra key
makes a message invalid to them, so each message here has exactly the contract's keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, cast

import msgspec

from sayso.audio.formats import InputAudio, InputEncoding, OutputAudio, OutputFormat
from sayso.errors import SetupError, TalkCode, TalkError
from sayso.transport import line
from sayso.transport.line import Incoming, Outgoing
from sayso.transport.page import Declared, read_events
from sayso.variables import find_problem, show_all

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_TEXT_CHARS = 20_000
"""Longest prompt, greeting, typed text or note a client may send, in characters."""

MAX_PATIENCE_MS = 10_000
"""Longest `utteranceEndThreshold` taken, in milliseconds."""

MAX_CALLER_ID_CHARS = 250
MAX_REASON_CHARS = 500
"""So much of why a transfer failed is taken."""

LongText: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
CallerId: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_CALLER_ID_CHARS)]


# setup -------------------------------------------------------------------------------------


class Setup(msgspec.Struct, frozen=True, tag="setup", rename="camel"):
    """The first message of a conversation (contract §4.2); unknown keys are ignored.

    The fields keep what the client sent; `hears` and `speaks` are what it comes to.
    """

    api_key: str | None = None
    input_encoding: InputEncoding | None = None
    input_sample_rate: float | None = None
    output_format: OutputFormat | None = None
    output_sample_rate: float | None = None
    custom_greeting: LongText | None = None
    prompt: LongText | None = None
    continue_conversation: str | None = None
    events: list[Any] | None = None
    utterance_end_threshold: float | None = None
    should_send_language: bool | None = None
    enable_vad: bool | None = None
    caller_id: CallerId | None = None
    variables: dict[str, Any] | None = None
    can_transfer: bool | None = None
    details: bool | None = None

    @property
    def hears(self) -> InputAudio:
        """The sound the client will send."""
        rate = self.input_sample_rate
        encoding = self.input_encoding or InputEncoding.MEDIA_CONTAINER
        return InputAudio(encoding, int(rate) if rate is not None else None)

    @property
    def speaks(self) -> OutputAudio:
        """The sound the client wants; mp3 at 44,100 Hz unless it says otherwise."""
        return OutputAudio(
            self.output_format or OutputFormat.MP3, int(self.output_sample_rate or 44_100)
        )

    @property
    def patience_s(self) -> float | None:
        """The end-of-turn silence the client asked for, in seconds."""
        threshold_ms = self.utterance_end_threshold
        return None if threshold_ms is None else min(threshold_ms, MAX_PATIENCE_MS) / 1000

    @property
    def caller(self) -> str:
        """Who calls, as the client says; "" if it does not."""
        return (self.caller_id or "").strip()

    @property
    def declared(self) -> Declared:
        """The events the page declares."""
        return read_events(self.events or ())

    @property
    def values(self) -> dict[str, str]:
        """The client's variables as they are written into a text."""
        return show_all(self.variables or {})


EARLIEST = {
    "input_encoding": InputEncoding.MULAW,
    "input_sample_rate": 16_000.0,
    "output_format": OutputFormat.MULAW,
    "output_sample_rate": 24_000.0,
}
"""What the first published endpoint, `/v1/agent-conversation`, took for granted."""

_HEADERLESS = frozenset(InputEncoding) - {InputEncoding.MEDIA_CONTAINER}
_RATE_FROM_STREAM = frozenset({InputEncoding.FLAC, InputEncoding.OPUS})


def parse_setup(frame: str | bytes, defaults: Mapping[str, Any] | None = None) -> Setup:
    """Read the first message of a conversation; `defaults` fill in what it leaves out.

    Raises:
        SetupError: it is not a valid `setup`; the message names the key and what is wrong.
    """
    try:
        setup = _decode_first(frame)
        if not isinstance(setup, Setup):
            raise SetupError("the first message must have type 'setup', not 'audioIn'")
    except msgspec.ValidationError as problem:
        raise SetupError(_explain_setup(str(problem), frame)) from None
    except msgspec.DecodeError as problem:
        raise SetupError(f"the first message is not valid JSON: {problem}") from None
    missing = {key: value for key, value in (defaults or {}).items() if getattr(setup, key) is None}
    setup = msgspec.structs.replace(setup, **missing)
    _check_rate(setup.input_sample_rate, "inputSampleRate")
    _check_rate(setup.output_sample_rate, "outputSampleRate")
    hears = setup.hears
    if hears.encoding in _HEADERLESS - _RATE_FROM_STREAM and hears.sample_rate_hz is None:
        raise SetupError(
            f"inputSampleRate is required for inputEncoding {hears.encoding.value!r}, "
            "because headerless audio does not tell its rate (for example 16000)",
            field="inputSampleRate",
        )
    if (setup.utterance_end_threshold or 0) < 0:
        raise SetupError(
            "utteranceEndThreshold must be a number of milliseconds, 0 or more",
            field="utteranceEndThreshold",
        )
    _check_caller(setup)
    return setup


def _check_caller(setup: Setup) -> None:
    """Refuse what could not stand in a header, a text or the record."""
    if setup.caller_id and not setup.caller_id.isprintable():
        raise SetupError(
            "callerId must be one line of printable characters, such as '+15550100'",
            field="callerId",
        )
    if problem := find_problem(setup.variables or {}):
        raise SetupError(f"variables {problem}", field="variables")


def _check_rate(rate: float | None, key: str) -> None:
    if rate is None:
        return
    if rate != int(rate) or not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise SetupError(
            f"{key} must be a whole number from {MIN_RATE_HZ} to {MAX_RATE_HZ}, not {rate:g}",
            field=key,
        )


def _explain_setup(problem: str, frame: str | bytes) -> str:
    """Msgspec's words, with the key in front and the allowed values behind."""
    try:
        sent = msgspec.json.decode(frame)
    except msgspec.DecodeError as broken:
        return f"the first message is not valid JSON: {broken}"
    if not isinstance(sent, dict):
        return "the first message must be a JSON object with type 'setup'"
    if sent.get("type") != "setup":
        return f"the first message must have type 'setup', not {sent.get('type')!r}"
    what, _, where = problem.partition(" - at ")
    key = where.strip("`$.") or "type"
    allowed = {"inputEncoding": InputEncoding, "outputFormat": OutputFormat}.get(key)
    if allowed is not None:
        values = ", ".join(allowed)
        return f"{key} is {sent.get(key)!r}; it must be one of: {values}"
    return f"{key}: {what[:1].lower()}{what[1:]}"


# client to server --------------------------------------------------------------------------


class AudioIn(msgspec.Struct, frozen=True, tag="audioIn"):
    """Microphone sound; "" is a keep-alive."""

    data: bytes = b""


# A union, because msgspec asks for the `type` of a lone struct only when it is there.
_decode_first = msgspec.json.Decoder(Setup | AudioIn).decode


class BufferEmpty(msgspec.Struct, frozen=True, tag="bufferEmpty"):
    """The client's player has run dry."""


class Played(msgspec.Struct, frozen=True, tag="played"):
    """How much of a reply the client has played; an extension.

    `stream` counts the conversation's `newAudioStream` messages from 1: they carry no number, and
    old clients would refuse one that did.
    """

    stream: Annotated[int, msgspec.Meta(ge=1)]
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class ExtendConversationSetup(msgspec.Struct, frozen=True, tag="extendConversationSetup"):
    """More custom events, after `init`."""

    events: list[Any] | None = None


class CustomInput(msgspec.Struct, frozen=True, tag="customInput"):
    """A message of the program around the caller."""

    data: LongText


class TextIn(msgspec.Struct, frozen=True, tag="textIn"):
    """Typed text of the caller; an extension."""

    data: LongText


class TransferFailed(msgspec.Struct, frozen=True, tag="transferFailed"):
    """The client could not connect the caller to whom `transfer` named; an extension."""

    reason: str = ""


class MediaLog(msgspec.Struct, frozen=True, tag="mediaLog"):
    """Telemetry of the client's player; ignored."""


class ConversationAudio(msgspec.Struct, frozen=True, tag="conversationAudio"):
    """The client's own recording of the call; ignored until recordings are kept."""


ClientMessage: TypeAlias = (
    AudioIn
    | BufferEmpty
    | Played
    | ExtendConversationSetup
    | CustomInput
    | TextIn
    | TransferFailed
    | MediaLog
    | ConversationAudio
)

_decode_message = msgspec.json.Decoder(cast("type[ClientMessage]", ClientMessage)).decode
_KNOWN_TYPES = frozenset(
    str(kind.__struct_config__.tag)
    for kind in (
        AudioIn,
        BufferEmpty,
        Played,
        ExtendConversationSetup,
        CustomInput,
        TextIn,
        TransferFailed,
        MediaLog,
        ConversationAudio,
    )
)


def parse_message(frame: str | bytes, streams: Sequence[int] = ()) -> Incoming | None:
    """Read a message after `setup`; None for one that asks nothing of the conversation.

    `streams` are the numbers of the replies a `newAudioStream` was sent for, in order.

    Raises:
        TalkError: 4400, not fatal: what is wrong with the message.
    """
    try:
        return _incoming(_decode_message(frame), streams)
    except msgspec.ValidationError as problem:
        if _is_unknown(frame):
            return None
        raise _bad_message(str(problem)) from None
    except msgspec.DecodeError as problem:
        raise _bad_message(f"not valid JSON: {problem}") from None


def _incoming(message: ClientMessage, streams: Sequence[int]) -> Incoming | None:
    incoming: Incoming | None = None
    match message:
        case AudioIn(data=data):
            incoming = line.Sound(data)
        case BufferEmpty():
            incoming = line.PlayedOut()
        case Played(stream=stream, seconds=seconds) if stream == len(streams):
            incoming = line.Played(streams[-1], seconds)
        case ExtendConversationSetup(events=events) if events:
            incoming = read_events(events)
        case CustomInput(data=text) if text.strip():
            incoming = line.Note(text)
        case TextIn(data=text) if text.strip():
            incoming = line.Text(text)
        case TransferFailed(reason=reason):
            incoming = line.NotHandedOn(" ".join(reason.split())[:MAX_REASON_CHARS])
    return incoming


def _is_unknown(frame: str | bytes) -> bool:
    """Whether the frame is a message of a type we do not know, which is ignored."""
    try:
        sent = msgspec.json.decode(frame)
    except msgspec.ValidationError:  # a number no float can hold
        return False
    return isinstance(sent, dict) and sent.get("type") not in _KNOWN_TYPES and "type" in sent


def _bad_message(problem: str) -> TalkError:
    return TalkError(
        f"a message could not be read: {problem}", code=TalkCode.INVALID_MESSAGE, fatal=False
    )


# server to client --------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode


def init_frame(
    *, owner_id: str, conversation_id: str, recording_url: str, language: str | None
) -> bytes:
    """The one `init` that satisfies every known client (contract §4.6).

    `language` only for clients that asked for it: old ones refuse the key.
    """
    init = {
        "type": "init",
        "agentOwnerId": owner_id,
        "conversationId": conversation_id,
        "recordingPresignedUrl": recording_url,
    }
    return _encode(init if language is None else {**init, "language": language})


def error_frame(code: int, message: str, *, fatal: bool) -> bytes:
    """An `error`; `isFatal` is always there, because clients drop an `error` without it."""
    return _encode({"type": "error", "code": code, "message": message, "isFatal": fatal})


def _greeting_began(out: line.GreetingBegan) -> list[dict[str, Any]]:
    # Client 0.2.1 opens its microphone on a greeting only if it is not empty.
    return [{"type": "onAgentGreeting", "message": out.text or " "}]


def _greeting_ended(out: line.GreetingEnded) -> list[dict[str, Any]]:
    return [{"type": "onAgentGreetingEnd", "message": out.text}]


def _caller_started(_: line.CallerStarted) -> list[dict[str, Any]]:
    return [{"type": "voiceActivityStart"}]


def _caller_stopped(_: line.CallerStopped) -> list[dict[str, Any]]:
    return [{"type": "voiceActivityEnd"}]


def _caller_text(out: line.CallerText) -> list[dict[str, Any]]:
    return [{"type": "onUserTranscript", "message": out.text}]


def _caller_text_so_far(out: line.CallerTextSoFar) -> list[dict[str, Any]]:
    return [{"type": "partialUserTranscript", "message": out.text}]


def _reply_held(_: line.ReplyHeld) -> list[dict[str, Any]]:
    return [{"type": "audioStreamHeld"}]


def _reply_resumed(_: line.ReplyResumed) -> list[dict[str, Any]]:
    return [{"type": "audioStreamResumed"}]


def _reply_began(_: line.ReplyBegan) -> list[dict[str, Any]]:
    return [{"type": "newAudioStream"}, {"type": "audioStreamStart"}]


def _reply_sound(out: line.ReplySound) -> list[dict[str, Any]]:
    return [{"type": "audioStream", "data": out.data}]


def _agent_text(out: line.AgentText) -> list[dict[str, Any]]:
    return [{"type": "onAgentTranscript", "message": out.text}]


def _reply_ended(out: line.ReplyEnded) -> list[dict[str, Any]]:
    return [{"type": "audioStreamEnd", "message": out.text, "jobId": out.number}]


def _interrupted(out: line.Interrupted) -> list[dict[str, Any]]:
    return [{"type": "onAgentInterrupted", "updatedMessage": out.heard}]


def _custom_event(out: line.CustomEvent) -> list[dict[str, Any]]:
    return [{"type": "customEvent", "name": out.name, "data": out.data}]


def _hand_on(out: line.HandOn) -> list[dict[str, Any]]:
    return [{"type": "transfer", "destination": out.to, "phoneNumber": out.phone_number}]


def _fault(out: line.Fault) -> list[dict[str, Any]]:
    return [{"type": "error", "code": out.code, "message": out.message, "isFatal": out.fatal}]


def _goodbye(out: line.Goodbye) -> list[dict[str, Any]]:
    return [{"type": "hangup", "endedBy": out.by}]


_WRITERS: dict[type, Callable[[Any], list[dict[str, Any]]]] = {
    line.GreetingBegan: _greeting_began,
    line.GreetingEnded: _greeting_ended,
    line.CallerStarted: _caller_started,
    line.CallerStopped: _caller_stopped,
    line.CallerText: _caller_text,
    line.CallerTextSoFar: _caller_text_so_far,
    line.ReplyHeld: _reply_held,
    line.ReplyResumed: _reply_resumed,
    line.ReplyBegan: _reply_began,
    line.ReplySound: _reply_sound,
    line.AgentText: _agent_text,
    line.ReplyEnded: _reply_ended,
    line.Interrupted: _interrupted,
    line.CustomEvent: _custom_event,
    line.HandOn: _hand_on,
    line.Fault: _fault,
    line.Goodbye: _goodbye,
}


def frames(out: Outgoing) -> list[bytes]:
    """The messages that say `out`, in order."""
    return [_encode(message) for message in _WRITERS[type(out)](out)]
