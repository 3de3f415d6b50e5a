"""Whole conversations through the real session, with the world around it scripted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from itertools import count

import pytest
from structlog.testing import capture_logs

from sayso.audio.formats import EAR_RATE_HZ, InputAudio, InputEncoding, OutputAudio, OutputFormat
from sayso.errors import LlmError, SpeechError, TalkCode, TalkError
from sayso.talk.events import EndedBy, Typed
from sayso.talk.history import Line
from sayso.talk.ladder import Ladder
from sayso.talk.phrases import ENGLISH, PHRASES
from sayso.talk.reply import Reply
from sayso.transport.line import (
    AgentText,
    CallerStarted,
    CallerStopped,
    CallerText,
    CallerTextSoFar,
    Fault,
    Goodbye,
    GreetingBegan,
    GreetingEnded,
    Interrupted,
    Left,
    Note,
    Outgoing,
    Played,
    PlayedOut,
    ReplyBegan,
    ReplyEnded,
    ReplyHeld,
    ReplyResumed,
    ReplySound,
    Sound,
    Text,
)
from stage import POLICY, MemoryLine, Stage, staged


def kinds(line: MemoryLine) -> list[type[Outgoing]]:
    """What was sent, by kind, with runs of sound as one."""
    seen: list[type[Outgoing]] = []
    for out in line.sent:
        if not (isinstance(out, ReplySound) and seen and seen[-1] is ReplySound):
            seen.append(type(out))
    return seen


async def test_a_spoken_question_is_answered_in_the_contracts_order() -> None:
    async with staged(greeting="Hi.", answers=[["It ", "is noon."]], heard=["What time?"]) as stage:
        await stage.until_sent(GreetingEnded)
        await stage.speak(1.0)
        await stage.until_sent(ReplyEnded, 2)
        stage.line.client(PlayedOut())
        await stage.until(lambda: len(stage.record.lines) == 3)
    assert kinds(stage.line) == [
        GreetingBegan, ReplyBegan, ReplySound, AgentText, ReplyEnded, GreetingEnded,
        CallerStarted, CallerText, CallerStopped,
        ReplyBegan, ReplySound, AgentText, ReplySound, ReplyEnded,
    ]  # fmt: skip
    assert stage.record.lines == [
        ("assistant", "Hi."),
        ("user", "What time?"),
        ("assistant", "It is noon."),
    ]
    assert stage.record.end == (EndedBy.USER, None)
    assert [message.content for message in stage.llm.prompts[0]] == ["Hi.", "What time?"]


async def test_without_a_greeting_the_microphone_opens_at_once() -> None:
    async with staged() as stage:
        await stage.until_sent(GreetingEnded)
    assert stage.line.sent == [GreetingBegan(""), GreetingEnded("")]


async def test_all_sound_of_an_answer_is_sent() -> None:
    async with staged(answers=[["Hello there, caller."]]) as stage:
        stage.line.client(Text("Hi"))
        await stage.until_sent(ReplyEnded)
    sound = b"".join(out.data for out in stage.line.of(ReplySound))
    characters = sum(len(clause) for clause in stage.tts.spoken)
    assert len(sound) == characters * int(0.02 * 16_000) * 4


async def test_compressed_sound_is_encoded_beside_the_loop() -> None:
    async with staged(
        answers=[["Hello there."]], speaks=OutputAudio(OutputFormat.MP3, 44_100)
    ) as stage:
        stage.line.client(Text("Hi"))
        await stage.until_sent(ReplyEnded)
    sound = b"".join(out.data for out in stage.line.of(ReplySound))
    assert sound[:1] == b"\xff" or sound[:3] == b"ID3"


async def test_the_turns_timings_are_recorded_in_order() -> None:
    async with staged(answers=[["Yes."]], heard=["Are you there?"]) as stage:
        await stage.speak(1.0)
        await stage.until(lambda: bool(stage.record.turns))
    number, timings = stage.record.turns[0]
    steps = [
        "transcript_s",
        "llm_first_token_s",
        "first_clause_s",
        "tts_first_sound_s",
    ]
    assert number == 1
    assert [timings[step] for step in steps] == sorted(timings[step] for step in steps)
    assert timings["played_s"] >= timings["first_sound_sent_s"] >= timings["endpoint_s"]


WHOLE_ANSWER = "This is the whole answer, and every word of it is going to be heard."


async def sounded_over(seconds: float, *, heard: str, details: bool = False) -> Stage:
    """A call in which a sound, written down as `heard`, did not interrupt `WHOLE_ANSWER`."""
    async with staged(answers=[[WHOLE_ANSWER]], heard=[heard], details=details) as stage:
        stage.line.client(Text("Go."))
        await stage.until(lambda: len(stage.line.of(ReplySound)) >= 4)
        await stage.speak(seconds, pause_s=0.6)
        await stage.until(lambda: bool(stage.record.turns))
    assert not stage.line.of(Interrupted)
    return stage


class TestInterrupted:
    async def test_what_is_told_is_what_is_kept_however_time_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A word that ends between two looks at the clock was told and not kept, or the reverse."""
        asked, heard_s = count(), Reply.heard_s
        monkeypatch.setattr(Reply, "heard_s", lambda reply: heard_s(reply) + 0.1 * next(asked))
        story = "Once upon a time there was a king who lived in a castle by the sea. " * 9
        async with staged(answers=[[story], ["Fine."]], heard=["Please stop that."]) as stage:
            stage.line.client(Text("A story."))
            await stage.until(lambda: len(stage.line.of(ReplySound)) >= 8)
            await stage.speak(1.0)
            await stage.until_sent(Interrupted)
        told = stage.line.of(Interrupted)[0].heard
        assert ("assistant", told) in stage.record.lines

    async def test_the_rest_is_dropped_and_history_holds_what_was_heard(self) -> None:
        story = "Once upon a time there was a king who lived in a castle by the sea. " * 3
        async with staged(answers=[[story], ["Fine."]], heard=["Please stop that."]) as stage:
            stage.line.client(Text("A story."))
            await stage.until(lambda: len(stage.line.of(ReplySound)) >= 8)
            await stage.speak(1.0)
            await stage.until_sent(Interrupted)
            heard = stage.line.of(Interrupted)[0].heard
            await stage.until(lambda: len(stage.llm.prompts) == 2)
            await stage.until_sent(ReplyEnded)
        assert heard
        assert story.startswith(heard)
        assert stage.line.of(AgentText)[0] == AgentText(1, story.strip())  # corrected by `heard`
        timings = stage.record.turns[0][1]
        assert timings["sound_made_s"] >= timings["sound_sent_s"] >= timings["sound_heard_s"] > 0
        assert timings["interrupted_s"] > timings["first_sound_sent_s"]
        assert timings["holds"] == 1
        assert len(heard) < len(story) / 2
        assert [message.content for message in stage.llm.prompts[1]] == [
            "A story.",
            heard,
            "Please stop that.",
        ]
        assert stage.record.lines[1] == ("assistant", heard)
        assert stage.line.hushed >= 1
        sent = stage.line.sent
        after = sent[sent.index(Interrupted(1, heard)) :]
        assert all(out.number == 2 for out in after if isinstance(out, ReplySound))

    async def test_before_all_is_written_what_was_heard_is_the_text(self) -> None:
        story = "Once upon a time there was a king who lived in a castle by the sea. "
        async with staged(answers=[[story, 30.0, "The end."], ["Fine."]]) as stage:
            stage.line.client(Text("A story."))
            await stage.until(lambda: len(stage.line.of(ReplySound)) >= 8)
            assert not stage.line.of(AgentText)
            stage.line.client(Text("Stop."))
            await stage.until_sent(ReplyEnded)
            assert stage.llm.closed == 2, "the LLM was let go at once"
        interrupted = stage.line.of(Interrupted)[0]
        assert stage.line.of(AgentText) == [
            AgentText(1, interrupted.heard), AgentText(2, "Fine.")
        ]  # fmt: skip

    async def test_before_a_word_was_heard_none_is_left_of_its_text(self) -> None:
        async with staged(answers=[["Incomprehensibilities are all I have."], ["Fine."]]) as stage:
            stage.line.client(Text("A story."))
            await stage.until_sent(AgentText)
            stage.line.client(Played(1, 0.0))
            stage.line.client(Text("Stop."))
            await stage.until(lambda: len(stage.record.turns) == 2)
        assert stage.line.of(AgentText)[0].text == "Incomprehensibilities are all I have."
        assert stage.line.of(Interrupted) == [Interrupted(1, "")]
        assert stage.record.lines == [
            ("user", "A story."),
            ("user", "Stop."),
            ("assistant", "Fine."),
        ]

    async def test_a_cough_holds_and_the_answer_goes_on_to_its_end(self) -> None:
        stage = await sounded_over(0.2, heard="")
        assert stage.record.lines[-1] == ("assistant", WHOLE_ANSWER)
        assert stage.record.turns[0][1]["holds"] == 1
        sound = b"".join(out.data for out in stage.line.of(ReplySound))
        characters = sum(len(clause) for clause in stage.tts.spoken)
        assert len(sound) == int(characters * 0.02 * 16_000) * 4

    async def test_a_client_that_wants_details_is_told_of_the_cough(self) -> None:
        told = (await sounded_over(0.2, heard="", details=True)).line.sent
        assert told.index(ReplyHeld()) < told.index(ReplyResumed())
        assert not any(isinstance(out, CallerTextSoFar) for out in told)
        plain = (await sounded_over(0.2, heard="")).line.sent
        assert not any(isinstance(out, ReplyHeld | ReplyResumed) for out in plain)

    async def test_words_so_far_come_before_the_turn_is_over(self) -> None:
        async with staged(heard=["And then"], judged=[0.0], answers=[["Yes?"]], details=True) as at:
            await at.speak(0.6, pause_s=0.3)  # shorter than is followed
            await at.until_sent(CallerTextSoFar)
            assert not at.line.of(CallerText)
            await at.speak(0.0, pause_s=4.0)
            await at.until_sent(CallerText)
        assert at.line.of(CallerTextSoFar) == [CallerTextSoFar("And then")]

    async def test_by_its_own_words_it_goes_on_and_answers_nobody(self) -> None:
        stage = await sounded_over(0.3, heard="every word of it")
        assert stage.record.lines == [("user", "Go."), ("assistant", WHOLE_ANSWER)]

    async def test_while_it_thinks_the_words_join(self) -> None:
        async with staged(heard=["A table.", "For two."], answers=[["One."], ["Two."]]) as stage:
            await stage.speak(1.0, pause_s=0.26)
            await stage.until(lambda: len(stage.stt.heard) == 1)
            await stage.speak(1.0)
            await stage.until_sent(ReplyEnded)
        told = " ".join(out.text for out in stage.line.of(CallerText))
        assert told == "A table. For two."
        assert ("user", "A table. For two.") in stage.record.lines
        assert stage.record.turns[-1][1].get("replies_unheard", 0) <= 1

    async def test_a_greeting_that_is_cut_off_still_opens_the_microphone(self) -> None:
        async with staged(greeting="Hello and a very long welcome to you. " * 4) as stage:
            await stage.until(lambda: len(stage.line.of(ReplySound)) >= 3)
            await stage.speak(1.0)
            await stage.until_sent(GreetingEnded)
        assert stage.line.of(Interrupted)


async def test_a_complete_sentence_does_not_wait_for_a_slow_tool() -> None:
    """Some LLMs say "Hold on, please." and then work for seconds."""
    async with staged(answers=[["Hold on, please.", 1.0, " Found it."]]) as stage:
        stage.line.client(Text("Look it up."))
        await stage.until_sent(ReplySound)
        assert stage.tts.spoken == ["Hold on, please."]
        await stage.until(lambda: bool(stage.record.turns))
    assert stage.record.lines[-1] == ("assistant", "Hold on, please. Found it.")


class TestDrafts:
    async def test_a_draft_makes_no_sound_until_it_is_the_answer(self) -> None:
        async with staged(heard=["Hello?"], answers=[["Hi."]]) as stage:
            await stage.speak(1.0, pause_s=0.25)
            await stage.until(lambda: bool(stage.tts.spoken))
            assert not stage.line.of(ReplyBegan)
            await stage.be_quiet(0.3)
            await stage.until(lambda: bool(stage.record.turns))
        assert len(stage.llm.prompts) == 1
        assert stage.record.lines == [("user", "Hello?"), ("assistant", "Hi.")]

    async def test_one_that_is_dropped_leaves_no_trace_but_its_count(self) -> None:
        # Audio time goes on while the test waits: patience keeps a busy machine from deciding.
        async with staged(
            heard=["A table.", "For two."],
            answers=[["One."], ["Two."]],
            policy=replace(POLICY, patience_s=2.0),
        ) as stage:
            await stage.speak(1.0, pause_s=0.26)
            await stage.until(lambda: "One." in stage.tts.spoken)
            await stage.speak(1.0)
            await stage.until(lambda: bool(stage.record.turns))
        assert stage.record.lines == [("user", "A table. For two."), ("assistant", "Two.")]
        assert [message.content for message in stage.llm.prompts[1]] == ["A table. For two."]
        assert stage.record.turns[0][1]["drafts_dropped"] == 1
        assert stage.llm.closed == 2

    async def test_a_transcript_begun_at_a_lull_is_dropped_if_the_caller_goes_on(self) -> None:
        async with staged(heard=["A tab", "A table for two."], answers=[["Yes."]]) as stage:
            await stage.speak(0.6, pause_s=0.16)
            await stage.speak(0.6)
            await stage.until(lambda: bool(stage.record.turns))
        assert stage.record.lines == [("user", "A table for two."), ("assistant", "Yes.")]
        assert stage.record.turns[0][1]["transcripts_dropped"] == 1

    async def test_hanging_up_on_a_draft_keeps_the_words(self) -> None:
        async with staged(heard=["Anyone?"], answers=[["Yes."]]) as stage:
            await stage.speak(1.0, pause_s=0.26)
            await stage.until(lambda: bool(stage.tts.spoken))
            await stage.hang_up()
        assert stage.record.lines == [("user", "Anyone?")]

    async def test_text_typed_meanwhile_replaces_it(self) -> None:
        async with staged(heard=["Hello?"], answers=[["Old."], ["New."]]) as stage:
            await stage.speak(1.0, pause_s=0.26)
            await stage.until(lambda: bool(stage.tts.spoken))
            stage.line.client(Text("In writing."))
            await stage.until(lambda: bool(stage.record.turns))
        assert stage.record.lines[0] == ("user", "Hello? In writing.")
        assert stage.record.lines[1] == ("assistant", "New.")


class TestTheJudge:
    async def test_is_asked_once_for_each_pause_about_the_whole_turn(self) -> None:
        heard = ["A table", "for two."]
        async with staged(heard=heard, judged=[0.1, 0.9], answers=[["No."], ["Yes."]]) as stage:
            await stage.speak(1.0, pause_s=0.25)
            await stage.until(lambda: len(stage.eot.asked) == 1)
            await stage.speak(1.0)
            await stage.until(lambda: bool(stage.record.turns))
        first, second = (len(sound) / EAR_RATE_HZ for sound in stage.eot.asked)
        assert 1.0 <= first <= 1.4
        assert 2.0 <= second - 0.2 <= 3.0

    async def test_a_new_turn_is_judged_by_itself(self) -> None:
        async with staged(heard=["One.", "Two."], answers=[["A."], ["B."]]) as stage:
            await stage.speak(1.0)
            await stage.until(lambda: len(stage.record.turns) == 1)
            await stage.speak(1.0)
            await stage.until(lambda: len(stage.record.turns) == 2)
        assert len(stage.eot.asked[1]) / EAR_RATE_HZ <= 1.9

    async def test_what_it_says_reaches_the_core(self) -> None:
        async with staged(heard=["A table."], judged=[0.01], answers=[["Yes."]]) as stage:
            await stage.speak(1.0, pause_s=0.25)
            await stage.until(lambda: stage.session._turn.sounds_done == 0.01)

    async def test_that_fails_leaves_it_to_the_words(self) -> None:
        broken = SpeechError("the end-of-turn judge failed: broken")
        with capture_logs() as logs:
            async with staged(heard=["Hello?"], judged=[broken], answers=[["Hi."]]) as stage:
                await stage.speak(1.0)
                await stage.until(lambda: bool(stage.record.turns))
        assert stage.record.lines[-1] == ("assistant", "Hi.")
        failures = [entry["reason"] for entry in logs if entry["event"] == "judge_failed"]
        assert failures == [broken.message]
        assert not stage.line.of(Fault)

    async def test_is_not_waited_for_once_the_caller_goes_on(self) -> None:
        async with staged(heard=["A table and"]) as stage:
            stage.eot.wait_for = asyncio.Event()
            await stage.speak(1.0, pause_s=0.25)
            await stage.until(lambda: len(stage.eot.asked) == 1)
            await stage.speak(1.0)
            await stage.until(lambda: stage.eot.given_up)


async def test_yeah_over_the_end_of_a_question_answers_it() -> None:
    asking = "Shall I book it for you then?"
    async with staged(heard=["Yeah."], answers=[[asking], ["Done."]]) as stage:
        stage.line.client(Text("Book it."))
        await stage.until_sent(ReplySound, 1)
        await stage.speak(0.3)
        await stage.until(lambda: len(stage.record.turns) == 2)
    assert stage.record.lines == [
        ("user", "Book it."),
        ("assistant", asking),
        ("user", "Yeah."),
        ("assistant", "Done."),
    ]
    assert not stage.line.of(Interrupted)


class TestTheLlmFails:
    async def test_at_once_a_sentence_is_spoken(self) -> None:
        down = LlmError("connection refused", finding="connect.refused")
        async with staged(answers=[[down]]) as stage:
            stage.line.client(Text("Hi"))
            await stage.until_sent(ReplyEnded)
        assert stage.line.of(AgentText) == [AgentText(1, ENGLISH.llm_failed)]
        fault = stage.line.of(Fault)[0]
        assert (fault.code, fault.fatal) == (TalkCode.INTERNAL, False)
        assert "connect.refused" in fault.message

    async def test_the_owners_own_sentence_is_spoken_if_there_is_one(self) -> None:
        down = LlmError("connection refused", finding="connect.refused")
        async with staged(answers=[[down]], failure_message="Call us at noon.") as stage:
            stage.line.client(Text("Hi"))
            await stage.until_sent(ReplyEnded)
        assert stage.line.of(AgentText) == [AgentText(1, "Call us at noon.")]

    @pytest.mark.parametrize("answer", [["***"], ["👋", " 😀"], ["  ", "\n"], []])
    async def test_an_answer_without_words_is_not_silence(self, answer: list[str]) -> None:
        async with staged(answers=[answer]) as stage:
            stage.line.client(Text("Hi"))
            await stage.until(lambda: bool(stage.record.turns))
        assert stage.tts.spoken
        assert stage.tts.spoken[-1] == ENGLISH.llm_failed
        assert stage.record.turns[0][1]["failure"] == "answer.unspeakable"

    async def test_what_was_recovered_is_on_the_turn_and_in_the_log_only(self) -> None:
        mishaps = [
            LlmError("connection refused", finding="connect.refused"),
            LlmError("no word", finding="stream.empty"),
        ]
        with capture_logs() as logs:
            async with staged(answers=[["Fine."]], mishaps=mishaps) as stage:
                stage.line.client(Text("Hi"))
                await stage.until(lambda: bool(stage.record.turns))
        assert stage.line.of(AgentText) == [AgentText(1, "Fine.")]
        assert not stage.line.of(Fault)
        timings = stage.record.turns[0][1]
        assert timings["mishaps"] == "connect.refused (llm), stream.empty (llm)"
        assert "failure" not in timings
        assert timings["llm"] == "listed"
        told = [line for line in logs if line["event"] == "llm_mishap"]
        assert [(line["finding"], line["blame"], line["turn"]) for line in told] == [
            ("connect.refused", "llm", 1),
            ("stream.empty", "llm", 1),
        ]

    async def test_in_the_middle_what_arrived_is_spoken_first(self) -> None:
        cut = LlmError("the stream broke off", finding="stream.cut")
        async with staged(answers=[["We open at nine. And we", cut]]) as stage:
            stage.line.client(Text("When?"))
            await stage.until(lambda: bool(stage.record.turns))
        text = stage.line.of(AgentText)[0].text
        assert text == f"We open at nine. And… {ENGLISH.llm_broke_off}"
        assert stage.record.lines[-1] == ("assistant", text)
        timings = stage.record.turns[0][1]
        assert (timings["failure"], timings["blame"]) == ("stream.cut", "llm")

    async def test_the_llm_is_told_how_far_it_came_and_not_what_we_said_of_it(self) -> None:
        cut = LlmError("the stream broke off", finding="stream.cut")
        async with staged(answers=[["The capital of Fra", cut], ["Paris."]]) as stage:
            stage.line.client(Text("What is it?"))
            await stage.until(lambda: len(stage.record.turns) == 1)
            stage.line.client(Text("Go on."))
            await stage.until(lambda: len(stage.record.turns) == 2)
        told = [message.content for message in stage.llm.prompts[1]]
        assert told == ["What is it?", "The capital of…", "Go on."]

    async def test_behind_a_comma_the_apology_shows_the_break(self) -> None:
        cut = LlmError("the stream broke off", finding="stream.cut")
        async with staged(answers=[["Thank you for calling, ", "an", cut]]) as stage:
            stage.line.client(Text("Hi."))
            await stage.until(lambda: bool(stage.record.turns))
        said = f"Thank you for calling, … {ENGLISH.llm_broke_off}"
        assert stage.line.of(AgentText) == [AgentText(1, said)]
        assert stage.record.lines[-1] == ("assistant", said)
        assert stage.tts.spoken == ["Thank you for calling,", ENGLISH.llm_broke_off]

    async def test_half_a_number_is_not_spoken(self) -> None:
        cut = LlmError("the stream broke off", finding="stream.cut")
        async with staged(answers=[["12", cut]]) as stage:
            stage.line.client(Text("How much?"))
            await stage.until(lambda: bool(stage.record.turns))
        assert stage.line.of(AgentText) == [AgentText(1, ENGLISH.llm_failed)]

    async def test_the_server_is_freed_when_the_caller_leaves(self) -> None:
        async with staged(answers=[["word "] * 5000]) as stage:
            stage.line.client(Text("Talk."))
            await stage.until_sent(ReplySound)
            await stage.hang_up()
        assert stage.llm.closed == 1


class TestSpeechFails:
    async def test_a_transcript_that_fails_is_asked_for_again(self) -> None:
        async with staged(heard=[SpeechError("engine broke")]) as stage:
            await stage.speak(1.0)
            await stage.until_sent(ReplyEnded)
        assert stage.line.of(AgentText) == [AgentText(1, ENGLISH.not_heard)]
        assert stage.line.of(Fault)[0].message == "engine broke"

    async def test_a_clause_that_cannot_be_spoken_is_left_out(self) -> None:
        async with staged(answers=[["This is fine, truly. The unspeakable. And on."]]) as stage:
            stage.line.client(Text("Go."))
            await stage.until(lambda: bool(stage.record.turns))
        assert "And on." in stage.tts.spoken
        assert stage.line.of(Fault)[0].message == "the voice failed"

    async def test_a_reply_without_any_sound_gives_the_floor_back(self) -> None:
        async with staged(answers=[["unspeakable"], ["Better."]]) as stage:
            stage.line.client(Text("Go."))
            await stage.until(lambda: len(stage.record.turns) == 1)
            stage.line.client(Text("Again."))
            await stage.until_sent(ReplyEnded)
        assert stage.record.lines[:2] == [("user", "Go."), ("user", "Again.")]


class TestBadInput:
    async def test_an_unreadable_message_is_reported_and_survived(self) -> None:
        bad = TalkError("not JSON", code=TalkCode.INVALID_MESSAGE, fatal=False)
        async with staged(answers=[["Hi."]]) as stage:
            stage.line.client(bad)
            stage.line.client(Text("Hello?"))
            await stage.until_sent(ReplyEnded)
        assert stage.line.of(Fault) == [Fault(TalkCode.INVALID_MESSAGE, "not JSON")]

    async def test_sound_that_cannot_be_read_is_told_once_and_text_still_works(self) -> None:
        async with staged(
            answers=[["Hi."]], hears=InputAudio(InputEncoding.MEDIA_CONTAINER)
        ) as stage:
            for _ in range(5):
                stage.line.client(Sound(b"garbage" * 4000))
            await stage.until_sent(Fault)
            stage.line.client(Text("Hello?"))
            await stage.until_sent(ReplyEnded)
        assert [fault.code for fault in stage.line.of(Fault)] == [TalkCode.INVALID_MESSAGE]

    async def test_a_fatal_error_ends_the_conversation_coded(self) -> None:
        async with staged() as stage:
            stage.line.client(TalkError("too slow", code=TalkCode.INTERNAL))
            await stage.running
        assert stage.record.end == (EndedBy.ERROR, TalkCode.INTERNAL)
        assert stage.line.sent[-1] == Fault(TalkCode.INTERNAL, "too slow", fatal=True)

    async def test_a_bug_of_ours_ends_the_conversation_coded(self) -> None:
        async with staged(answers=[]) as stage:
            stage.line.client(Text("There is no answer in the list."))
            await stage.running
        assert stage.record.end == (EndedBy.ERROR, TalkCode.INTERNAL)
        assert stage.line.of(Fault)[-1].message == "internal server error"


class TestEnding:
    async def test_a_lost_connection_is_an_error(self) -> None:
        async with staged() as stage:
            stage.line.client(Left(cleanly=False))
            await stage.running
        assert stage.record.end == (EndedBy.ERROR, None)

    async def test_words_without_an_answer_are_kept(self) -> None:
        async with staged(heard=["One more thing"]) as stage:
            await stage.speak(1.0, pause_s=0.25)
            await stage.until(lambda: bool(stage.stt.heard))
            await asyncio.sleep(0.01)
            await stage.hang_up()
        assert stage.record.lines == [("user", "One more thing")]

    async def test_the_server_says_goodbye(self) -> None:
        async with staged() as stage:
            await stage.until_sent(GreetingEnded)
            stage.session.hang_up(EndedBy.SYSTEM)
            await stage.running
            stage.session.hang_up(EndedBy.USER)
        assert stage.line.sent[-1] == Goodbye("system")
        assert stage.record.end == (EndedBy.SYSTEM, None)

    async def test_when_time_is_up_a_farewell_is_spoken(self) -> None:
        async with staged(conversation_s=0.05) as stage:
            await asyncio.wait_for(stage.running, 5)
        assert stage.line.of(AgentText) == [AgentText(1, ENGLISH.time_is_up)]
        assert stage.record.end == (EndedBy.SYSTEM, None)

    async def test_nothing_is_left_running(self) -> None:
        before = asyncio.all_tasks()
        async with staged(answers=[["word "] * 500] * 2, heard=["Hm"]) as stage:
            stage.line.client(Text("Talk."))
            await stage.speak(0.5)
            await stage.until_sent(ReplySound)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before


async def test_a_note_of_the_program_is_answered_and_marked() -> None:
    async with staged(answers=[["Thank you."]]) as stage:
        stage.line.client(Note("The caller has paid."))
        await stage.until_sent(ReplyEnded)
    assert "The caller has paid." in stage.llm.prompts[0][-1].content
    assert not stage.line.of(CallerText)


async def test_an_earlier_conversation_goes_on() -> None:
    earlier = [Line("user", "I am Ann."), Line("assistant", "Hello Ann.")]
    async with staged(answers=[["Ann."]], lines=earlier) as stage:
        stage.line.client(Text("Who am I?"))
        await stage.until_sent(ReplyEnded)
    assert [message.content for message in stage.llm.prompts[0]] == [
        "I am Ann.",
        "Hello Ann.",
        "Who am I?",
    ]
    assert ("user", "I am Ann.") not in stage.record.lines


async def test_a_client_that_stops_sending_is_silent() -> None:
    """Push-to-talk: no sound at all after the speech, and the turn still ends."""
    async with staged(answers=[["Yes."]], heard=["Hello?"]) as stage:
        await stage.speak(1.0, pause_s=0.0)
        await stage.until_sent(ReplyEnded)


class TestNobodySpeaks:
    async def test_the_agent_asks_and_then_hangs_up(self) -> None:
        async with staged(
            ladder=Ladder(1.0, nudges=1), nudges=("Hello?",), goodbye="Bye."
        ) as stage:
            await stage.be_quiet(1.5)
            await stage.until_sent(ReplyEnded)
            await stage.until(lambda: len(stage.record.lines) == 1)
            await stage.be_quiet(1.5)
            await stage.running
        assert stage.record.lines == [("assistant", "Hello?"), ("assistant", "Bye.")]
        assert [timings["line"] for _, timings in stage.record.turns] == ["nudge", "giving up"]
        assert (stage.record.end, stage.record.reason) == ((EndedBy.SYSTEM, None), "silence")
        assert stage.line.of(Goodbye) == [Goodbye("system")]

    async def test_one_without_last_words_hangs_up_in_silence(self) -> None:
        silent = replace(ENGLISH, nobody_there="", time_is_up="")
        async with staged(ladder=Ladder(1.0), phrases=silent) as stage:
            await stage.be_quiet(1.5)
            await stage.running
        assert stage.record.lines == []
        assert stage.record.reason == "silence"
        assert stage.line.of(Goodbye) == [Goodbye("system")]

    async def test_the_usual_sentences_go_round(self) -> None:
        async with staged(ladder=Ladder(0.5, nudges=3)) as stage:
            for said in range(1, 5):
                await stage.be_quiet(0.6)
                await stage.until(lambda said=said: len(stage.record.lines) == said)  # type: ignore[misc]
            await stage.running
        first, second = ENGLISH.nudges
        assert [text for _, text in stage.record.lines] == [
            first, second, first, ENGLISH.nobody_there
        ]  # fmt: skip

    async def test_a_warning_comes_before_the_end(self) -> None:
        async with staged(conversation_s=60.0, longest_s=0.5, warning_s=0.2) as stage:
            await stage.running
        assert stage.tts.spoken[0] == "Just so you know,"
        assert stage.tts.spoken[-1] == "Goodbye!"
        assert stage.record.reason == "time_up"

    async def test_a_microphone_without_sound_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sayso.talk.silence.DEAF_AFTER_S", 0.1)
        async with staged() as stage:
            await stage.until_sent(Fault)
            await stage.be_quiet(0.1)
        fault = stage.line.of(Fault)[0]
        assert (fault.code, fault.fatal) == (TalkCode.SILENT, False)
        assert len(stage.line.of(Fault)) == 1


class TestTheUsualSentences:
    GERMAN = PHRASES["german"]

    async def test_come_in_the_agents_language(self) -> None:
        async with staged(
            answers=[
                [LlmError("gone", finding="stream.empty")],
                ["Gut. ", LlmError("gone", finding="stream.cut")],
            ],
            phrases=self.GERMAN,
            ladder=Ladder(5.0, nudges=2),
        ) as stage:
            for number, said in enumerate(("Hallo?", "Und jetzt?"), 1):
                stage.line.client(Text(said))
                await stage.until_sent(ReplyEnded, number)
                stage.line.client(PlayedOut())
            for number in (3, 4, 5):
                await stage.be_quiet(6.0)
                await stage.until_sent(ReplyEnded, number)
                stage.line.client(PlayedOut())
            await stage.running
        assert [text for role, text in stage.record.lines if role == "assistant"] == [
            self.GERMAN.llm_failed,
            f"Gut. {self.GERMAN.llm_broke_off}",
            self.GERMAN.still_there,
            self.GERMAN.still_here,
            self.GERMAN.nobody_there,
        ]

    async def test_yield_to_the_agents_own(self) -> None:
        async with staged(
            answers=[[LlmError("gone", finding="stream.cut")]],
            phrases=self.GERMAN,
            failure_message="Moment!",
        ) as stage:
            stage.line.client(Text("Hallo?"))
            await stage.until_sent(ReplyEnded)
        assert stage.line.of(AgentText) == [AgentText(1, "Moment!")]


class TestTheAgentHangsUp:
    async def test_after_an_answer_with_its_phrase(self) -> None:
        async with staged(
            answers=[["All done. ", "Good-bye!"]], end_phrases=("good bye",)
        ) as stage:
            stage.line.client(Text("Thanks."))
            await stage.running
        assert stage.record.end == (EndedBy.AGENT, None)
        assert stage.record.reason == "agent_done"
        assert stage.record.lines[-1] == ("assistant", "All done. Good-bye!")
        assert stage.line.of(Goodbye) == [Goodbye("agent")]

    async def test_not_after_any_other(self) -> None:
        async with staged(answers=[["All done."]], end_phrases=("goodbye",)) as stage:
            stage.line.client(Text("Thanks."))
            await stage.until(lambda: bool(stage.record.turns))
            await stage.hang_up()
        assert stage.record.reason == "caller_left"


async def test_the_record_ends_where_the_clients_player_was() -> None:
    async with staged(answers=[["One two three four five six seven eight."]]) as stage:
        stage.line.client(Text("Count!"))
        await stage.until_sent(ReplySound, 5)
        stage.line.client(Played(7, 5.0))  # of a reply that is not there
        stage.line.client(Played(1, 0.15))
        stage.line.client(Text("Stop."))
        await stage.until_sent(Interrupted)
    assert stage.line.of(Interrupted)[0] == Interrupted(1, "One two")


class TestWhoMayNotInterrupt:
    async def test_is_answered_after_the_reply(self) -> None:
        answers = [["A long story, told to its end."], ["A short one."]]
        async with staged(answers=answers, heard=["Shorter!"], interruptible=False) as stage:
            stage.line.client(Text("Tell me a story."))
            await stage.until_sent(ReplyBegan)
            await stage.speak(1.0)
            await stage.until(lambda: len(stage.record.lines) == 4)
        assert stage.line.of(Interrupted) == []
        assert stage.record.lines == [
            ("user", "Tell me a story."),
            ("assistant", "A long story, told to its end."),
            ("user", "Shorter!"),
            ("assistant", "A short one."),
        ]

    async def test_leaves_a_last_word_in_the_record(self) -> None:
        async with staged(answers=[["A long story."]], interruptible=False) as stage:
            stage.line.client(Text("Tell me a story."))
            await stage.until_sent(ReplySound)
            stage.line.client(Text("Stop!"))
            await stage.hang_up()
        assert stage.record.lines[-1] == ("user", "Stop!")


async def test_an_agent_may_have_its_text_spoken_as_written() -> None:
    async with staged(answers=[["It is *5*."]], reading="off") as stage:
        stage.line.client(Text("Hi"))
        await stage.until_sent(ReplyEnded)
    assert stage.tts.spoken == ["It is *5*."]


async def test_a_reply_that_is_hushed_says_nothing_more() -> None:
    """Its stages are cancelled a moment later; what they were about to do must not be done."""
    async with staged(answers=[["Hi."], ["Well."]]) as stage:

        def interrupt() -> None:
            stage.tts.then = None
            typed = partial(stage.session._happen, Typed(0.0, "Wait."))
            asyncio.get_running_loop().call_soon(typed)  # just before the end is noticed

        stage.tts.then = interrupt
        stage.line.client(Text("Hello?"))
        await stage.until_sent(ReplyEnded)
        await stage.hang_up()
    told = [out for out in stage.line.sent if getattr(out, "number", 0) == 1]
    assert isinstance(told[-1], Interrupted)
    assert [ended.number for ended in stage.line.of(ReplyEnded)] == [2]
