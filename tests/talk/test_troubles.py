"""What the operator and the client are told of failures."""

from __future__ import annotations

from structlog.testing import capture_logs

from sayso.errors import AudioError, LlmError, SpeechError, TalkCode
from sayso.talk.record import Stopwatch
from sayso.talk.troubles import Troubles
from sayso.transport.line import Fault
from stage import PCM, RAW, MemoryLine


def test_the_client_gets_a_code_and_the_operator_a_line_with_the_turn() -> None:
    line = MemoryLine(RAW, PCM)
    troubles = Troubles(line)
    troubles.turn = 7
    with capture_logs() as logs:
        troubles.report(SpeechError("the voice failed"), TalkCode.INTERNAL)
    assert line.sent == [Fault(TalkCode.INTERNAL, "the voice failed")]
    (log,) = logs
    assert (log["event"], log["finding"], log["turn"]) == (
        "conversation_disturbed",
        "SpeechError",
        7,
    )


def test_sound_that_is_not_heard_is_the_clients_fault_or_ours() -> None:
    line = MemoryLine(RAW, PCM)
    Troubles(line).report_sound(AudioError("it is noise"))
    Troubles(line).report_sound(SpeechError("we did not listen"))
    assert line.sent == [
        Fault(TalkCode.INVALID_MESSAGE, "it is noise"),
        Fault(TalkCode.INTERNAL, "we did not listen"),
    ]


def test_what_an_llm_said_is_for_the_operator_only() -> None:
    line = MemoryLine(RAW, PCM)
    with capture_logs() as logs:
        Troubles(line).report(LlmError("key abc is wrong", finding="key.wrong"), 4500)
    assert line.sent == [Fault(4500, "the agent's LLM could not answer (key.wrong)")]
    assert logs[0]["reason"] == "key abc is wrong"


def test_a_mishap_is_kept_with_its_turn_and_nobody_is_told() -> None:
    line, watch = MemoryLine(RAW, PCM), Stopwatch(0.0)
    with capture_logs() as logs:
        Troubles(line).note_mishap(watch, LlmError("slow", finding="llm.slow"))
    assert [log["event"] for log in logs] == ["llm_mishap"]
    assert str(watch.timings["mishaps"]).startswith("llm.slow (")
    assert line.sent == []
