from __future__ import annotations

import json
from typing import Any

import pytest

from sayso.audio.formats import InputAudio, InputEncoding, OutputAudio, OutputFormat
from sayso.errors import SetupError, TalkCode, TalkError
from sayso.transport import line
from sayso.transport.page import Declared, PageEvent
from sayso.transport.playai import (
    EARLIEST,
    error_frame,
    frames,
    init_frame,
    parse_message,
    parse_setup,
)


def setup(**keys: object) -> str:
    return json.dumps({"type": "setup", **keys})


class TestSetup:
    def test_defaults_are_the_contracts(self) -> None:
        parsed = parse_setup(setup())
        assert parsed.hears == InputAudio(InputEncoding.MEDIA_CONTAINER, None)
        assert parsed.speaks == OutputAudio(OutputFormat.MP3, 44_100)
        assert parsed.patience_s is None

    def test_of_the_earliest_endpoint_is_mulaw_both_ways(self) -> None:
        parsed = parse_setup(setup(enableVad=True), EARLIEST)
        assert parsed.hears == InputAudio(InputEncoding.MULAW, 16_000)
        assert parsed.speaks == OutputAudio(OutputFormat.MULAW, 24_000)
        said = parse_setup(setup(outputFormat="mp3", outputSampleRate=8000), EARLIEST)
        assert said.speaks == OutputAudio(OutputFormat.MP3, 8_000)

    @pytest.mark.parametrize(
        "sent",
        [
            {
                "inputEncoding": "mulaw",
                "inputSampleRate": 16000,
                "outputFormat": "mp3",
                "shouldSendLanguage": True,
                "agentId": "spread by the SDK",
                "agentImprovements": True,
            },
            {"inputEncoding": "mulaw", "inputSampleRate": 8000, "outputFormat": "mulaw",
             "outputSampleRate": 8000},
            {"apiKey": "Bearer ak-1", "customGreeting": "Hi", "prompt": "More", "events": []},
            {"inputEncoding": "flac"},
            {"inputEncoding": "opus"},
            {"outputSampleRate": None, "prompt": None},
            {"callerId": "+15550100", "variables": {"name": "Ann", "n.x-1": 2, "_": True}},
            {"callerId": "", "variables": {}},
            {"callerId": None, "variables": None},
        ],
    )  # fmt: skip
    def test_what_real_clients_send_is_taken(self, sent: dict[str, object]) -> None:
        parse_setup(setup(**sent))

    def test_values_are_taken_as_text(self) -> None:
        sent = {"name": "Ann", "minutes": 5.0, "vip": True}
        parsed = parse_setup(setup(variables=sent))
        assert parsed.values == {"name": "Ann", "minutes": "5", "vip": "true"}
        assert parse_setup(setup()).values == {}

    def test_patience_is_bounded(self) -> None:
        assert parse_setup(setup(utteranceEndThreshold=5000)).patience_s == 5.0
        assert parse_setup(setup(utteranceEndThreshold=9e9)).patience_s == 10.0

    @pytest.mark.parametrize(
        ("frame", "said"),
        [
            ("hello", "not valid JSON"),
            ('{"type":"setup",}', "not valid JSON"),
            ("[1]", "must be a JSON object"),
            ('{"type":"audioIn","data":""}', "must have type 'setup', not 'audioIn'"),
            ('{"apiKey":"x"}', "must have type 'setup', not None"),
            (setup(inputEncoding="mp9"), "inputEncoding is 'mp9'; it must be one of: media-con"),
            (setup(outputFormat=7), "outputFormat is 7; it must be one of: mp3, raw"),
            (setup(inputEncoding="mulaw"), "inputSampleRate is required for inputEncoding"),
            (setup(inputSampleRate="fast"), "inputSampleRate: expected"),
            (setup(inputEncoding="linear16", inputSampleRate=4000), "from 8000 to 48000, not 4000"),
            (setup(outputSampleRate=96000), "outputSampleRate must be a whole number"),
            (setup(outputSampleRate=8000.5), "not 8000.5"),
            (setup(utteranceEndThreshold=-1), "milliseconds, 0 or more"),
            (setup(prompt="x" * 20_001), "prompt: expected"),
            (setup(callerId="x" * 251), "callerId: expected"),
            (setup(callerId=15550100), "callerId: expected"),
            (setup(callerId="a\r\nX-Evil: 1"), "callerId must be one line of printable"),
            (setup(variables=["a"]), "variables: expected"),
            (setup(variables={"a b": 1}), "variables holds the name 'a b'; a name is a letter"),
            (setup(variables={"a": None}), "variables holds a 'a' that is not a string"),
            (setup(variables={"a": "x" * 1001}), "'a' of more than 1,000 characters"),
            (setup(variables={f"a{n}": n for n in range(51)}), "at most 50 are taken"),
        ],
    )
    def test_a_bad_one_is_refused_with_a_sentence(self, frame: str, said: str) -> None:
        with pytest.raises(SetupError) as refused:
            parse_setup(frame)
        assert said in refused.value.message
        assert refused.value.code == TalkCode.INVALID_MESSAGE


class TestMessages:
    @pytest.mark.parametrize(
        ("sent", "means"),
        [
            ({"type": "audioIn", "data": "AAEC"}, line.Sound(b"\x00\x01\x02")),
            ({"type": "audioIn", "data": ""}, line.Sound(b"")),
            ({"type": "bufferEmpty"}, line.PlayedOut()),
            ({"type": "played", "stream": 3, "seconds": 1.5}, line.Played(7, 1.5)),
            ({"type": "played", "stream": 3, "seconds": 0}, line.Played(7, 0.0)),
            ({"type": "played", "stream": 2, "seconds": 1.5}, None),
            ({"type": "played", "stream": 4, "seconds": 1.5}, None),
            ({"type": "customInput", "data": "Paid."}, line.Note("Paid.")),
            ({"type": "textIn", "data": "Hi"}, line.Text("Hi")),
            ({"type": "textIn", "data": "  "}, None),
            ({"type": "customInput", "data": ""}, None),
            ({"type": "transferFailed"}, line.NotHandedOn("")),
            (
                {"type": "transferFailed", "reason": "no\nanswer" + "!" * 600},
                line.NotHandedOn("no answer" + "!" * 491),
            ),
            (
                {"type": "extendConversationSetup", "events": [{"name": "x"}]},
                Declared((PageEvent("x", ""),)),
            ),
            ({"type": "extendConversationSetup", "events": []}, None),
            ({"type": "mediaLog", "payload": {"type": "MEDIA_ON_PLAY"}}, None),
            ({"type": "conversationAudio", "data": "AAAA", "chunkIndex": 1}, None),
            ({"type": "turnEnd"}, None),
        ],
    )
    def test_mean_what_they_say(self, sent: dict[str, Any], means: object) -> None:
        assert parse_message(json.dumps(sent), [1, 4, 7]) == means

    def test_nothing_was_played_before_the_first_reply(self) -> None:
        assert parse_message('{"type":"played","stream":1,"seconds":1}') is None

    @pytest.mark.parametrize(
        "frame",
        [
            "{",
            '{"type":"audioIn","data":"*"}',
            '{"data":""}',
            "[]",
            '{"type":"textIn","data":1}',
            '{"type":"played"}',
            '{"type":"played","stream":0,"seconds":1}',
            '{"type":"played","stream":1,"seconds":-1}',
            '{"type":"played","stream":1,"seconds":1e999}',
            '{"type":"unknown","number":1e999}',
        ],
    )
    def test_an_unreadable_one_is_reported_and_survived(self, frame: str) -> None:
        with pytest.raises(TalkError) as reported:
            parse_message(frame)
        assert reported.value.code == TalkCode.INVALID_MESSAGE
        assert not reported.value.fatal


def sent(out: line.Outgoing) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames(out)]


class TestFrames:
    def test_init_has_exactly_the_contracts_keys(self) -> None:
        told: dict[str, Any] = {"owner_id": "u", "conversation_id": "c", "recording_url": "r"}
        old = json.loads(init_frame(**told, language=None))
        assert old == {
            "type": "init",
            "agentOwnerId": "u",
            "conversationId": "c",
            "recordingPresignedUrl": "r",
        }
        assert json.loads(init_frame(**told, language="english")) == {**old, "language": "english"}

    def test_an_error_always_says_whether_it_is_fatal(self) -> None:
        assert json.loads(error_frame(4400, "no", fatal=True)) == {
            "type": "error",
            "code": 4400,
            "message": "no",
            "isFatal": True,
        }

    @pytest.mark.parametrize(
        ("out", "messages"),
        [
            (line.GreetingBegan("Hi"), [{"type": "onAgentGreeting", "message": "Hi"}]),
            (line.GreetingBegan(""), [{"type": "onAgentGreeting", "message": " "}]),
            (line.GreetingEnded("Hi"), [{"type": "onAgentGreetingEnd", "message": "Hi"}]),
            (line.CallerStarted(), [{"type": "voiceActivityStart"}]),
            (line.CallerStopped(), [{"type": "voiceActivityEnd"}]),
            (line.CallerText("Yo"), [{"type": "onUserTranscript", "message": "Yo"}]),
            (line.ReplyBegan(3), [{"type": "newAudioStream"}, {"type": "audioStreamStart"}]),
            (line.ReplySound(3, b"\x00\x01\x02"), [{"type": "audioStream", "data": "AAEC"}]),
            (line.AgentText(3, "So"), [{"type": "onAgentTranscript", "message": "So"}]),
            (
                line.ReplyEnded(3, "So"),
                [{"type": "audioStreamEnd", "message": "So", "jobId": 3}],
            ),
            (
                line.Interrupted(3, "S"),
                [{"type": "onAgentInterrupted", "updatedMessage": "S"}],
            ),
            (
                line.Fault(4500, "oh"),
                [{"type": "error", "code": 4500, "message": "oh", "isFatal": False}],
            ),
            (line.Goodbye("agent"), [{"type": "hangup", "endedBy": "agent"}]),
        ],
    )
    def test_have_exactly_the_contracts_keys(
        self, out: line.Outgoing, messages: list[dict[str, Any]]
    ) -> None:
        assert sent(out) == messages
