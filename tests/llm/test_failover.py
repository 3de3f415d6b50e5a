"""Who is asked when: with LLMs that follow a script, and a clock that runs ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from structlog.testing import capture_logs

from sayso.errors import Blame, LlmError
from sayso.health import FAILURES, Health
from sayso.llm import Message, Mishap, Piece, Spare, Tool, ToolCall, ignore, no_spare
from sayso.llm.failover import RESERVE_S, Runner, Standby

HELLO = [Message("user", "Hello")]
DOWN = LlmError("nobody is there", finding="connect.refused")
Step: TypeAlias = Piece | float | LlmError | Exception
CUT = LlmError("it broke off", finding="stream.cut")


def owners_error() -> LlmError:
    error = LlmError("the key was refused", finding="auth.refused")
    error.blame = Blame.OWNER
    return error


@dataclass
class Scripted:
    """An LLM whose answers are lists of words, waits in seconds, and errors."""

    answers: list[list[Step]] = field(default_factory=list)
    asked: int = 0
    closed: int = 0
    offered: list[list[str]] = field(default_factory=list)
    messages: list[Sequence[Message]] = field(default_factory=list)

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        self.asked += 1
        self.offered.append([tool.name for tool in tools])
        self.messages.append(messages)
        try:
            for step in self.answers.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1


def scripted(*answers: Sequence[Step]) -> Scripted:
    return Scripted([list(answer) for answer in answers])


@dataclass
class Team:
    """Runners of one agent, and what was told of them."""

    llms: Sequence[Scripted]
    start_s: float = 5.0
    hedge_after_s: float | None = None
    health: Health = field(default_factory=Health)
    mishaps: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    probe: Scripted | None = None

    def __post_init__(self) -> None:
        self.standby = Standby(start_s=self.start_s, health=self.health)
        runners = [
            Runner(llm, f"llm {n}", n, self.probe if n == 0 else None)
            for n, llm in enumerate(self.llms)
        ]
        self.llm = self.standby.bind(runners, hedge_after_s=self.hedge_after_s)

    async def reply(self) -> str:
        self.facts.clear()
        pieces = self.llm.reply(
            HELLO, lambda error: self.mishaps.append(error.finding), note=self.facts.__setitem__
        )
        return "".join([str(piece) async for piece in pieces])

    async def fail(self) -> LlmError:
        with pytest.raises(LlmError) as failed:
            await self.reply()
        return failed.value

    @property
    def asked(self) -> list[int]:
        return [llm.asked for llm in self.llms]

    @property
    def freed(self) -> bool:
        return all(llm.asked == llm.closed for llm in self.llms)


async def test_who_answers_is_the_only_one_asked() -> None:
    team = Team([scripted(["Hel", "lo."]), scripted(["No."])])
    assert await team.reply() == "Hello."
    assert (team.asked, team.mishaps, team.freed) == ([1, 0], [], True)


async def test_a_failure_before_any_word_is_taken_over_at_once() -> None:
    team = Team([scripted([DOWN]), scripted(["Hello."])])
    assert await team.reply() == "Hello."
    assert (team.mishaps, team.freed) == (["connect.refused"], True)


async def test_blanks_are_no_words() -> None:
    team = Team([scripted([" ", "\n", CUT]), scripted(["  ", "Hello."])])
    assert await team.reply() == "  Hello."


async def test_an_answer_without_words_is_a_failure() -> None:
    team = Team([scripted([" "]), scripted([])])
    assert (await team.fail()).finding == "stream.empty"
    assert team.mishaps == ["stream.empty"] * 2


async def test_after_a_word_nobody_else_is_asked() -> None:
    team = Team([scripted(["We open", CUT], ["At nine."]), scripted(["Hello."])])
    pieces = team.llm.reply(HELLO)
    assert await anext(pieces) == "We open"
    with pytest.raises(LlmError) as failed:
        await anext(pieces)
    assert (failed.value, team.asked) == (CUT, [1, 0])
    assert team.health.of(0).failures == 1
    assert await team.reply() == "At nine."
    assert (team.health.of(0).failures, team.freed) == (0, True)


async def test_when_all_fail_the_error_names_them_in_order_the_main_one_first() -> None:
    team = Team([scripted([owners_error()]), scripted([DOWN])])
    error = await team.fail()
    assert (error.finding, error.blame) == ("auth.refused", Blame.OWNER)
    assert error.message == (
        "llm 0: auth.refused, the key was refused; llm 1: connect.refused, nobody is there"
    )
    assert team.mishaps == ["auth.refused", "connect.refused"]
    assert "llm" not in team.facts


async def test_the_order_of_causes_is_that_of_the_agent_also_when_the_main_one_rests() -> None:
    team = Team([scripted(*[[DOWN]] * 3), scripted(["Hi."], ["Hi."], [CUT])])
    for _ in range(FAILURES):
        await team.reply()
    error = await team.fail()
    assert team.mishaps[-2:] == ["stream.cut", "connect.refused"]
    assert (error.finding, error.message.index("llm 0")) == ("connect.refused", 0)


class TestFacts:
    async def test_who_speaks_is_noted(self) -> None:
        team = Team([scripted(["Main."], [DOWN]), scripted(["Hi."])])
        await team.reply()
        assert team.facts == {"llm": "llm 0"}
        await team.reply()
        assert team.facts == {"llm": "llm 1"}

    async def test_who_wins_a_hedge_is_noted(self) -> None:
        team = Team([scripted([9.0]), scripted(["Quick."])], hedge_after_s=0.02)
        await team.reply()
        assert team.facts == {"llm": "llm 1"}

    async def test_a_record_has_the_name_that_may_be_shown(self) -> None:
        team = Team([])
        team.llm = team.standby.bind([Runner(scripted(["Hi."]), "http://inside", shown="built-in")])
        await team.reply()
        assert team.facts == {"llm": "built-in"}

    async def test_a_rest_is_noted_with_each_turn_and_logged_once(self) -> None:
        team = Team([scripted(*[[DOWN]] * FAILURES), scripted(*[["Hi."]] * 5)])
        with capture_logs() as logs:
            for _ in range(FAILURES + 3):
                await team.reply()
        assert team.facts == {"llm": "llm 1", "llm_resting": "llm 0"}
        assert [line for line in logs if line["event"] == "llm_stands_in"] == [
            {"event": "llm_stands_in", "log_level": "warning", "llm": "llm 1", "resting": "llm 0"}
        ]

    async def test_one_alone_or_among_the_resting_is_asked_first_as_ever(self) -> None:
        alone = Team([scripted(*[[DOWN]] * FAILURES, ["Main."])])
        all_rest = Team([scripted(*[[DOWN]] * FAILURES, ["Main."]), scripted(*[[DOWN]] * FAILURES)])
        for team in (alone, all_rest):
            for _ in range(FAILURES):
                await team.fail()
            await team.reply()
            assert team.facts == {"llm": "llm 0"}


async def test_one_alone_fails_as_it_is() -> None:
    team = Team([scripted([DOWN])])
    assert await team.fail() is DOWN
    assert team.mishaps == []


async def test_a_bug_is_not_hidden() -> None:
    team = Team([scripted([ValueError("oops")]), scripted(["Hello."])])
    with pytest.raises(ValueError, match="oops"):
        await team.reply()
    assert team.freed


class TestDeadlines:
    async def test_silence_is_a_failure_within_the_limit(self) -> None:
        team = Team([scripted([9.0, "Late."])], start_s=0.05)
        began_s = asyncio.get_running_loop().time()
        assert (await team.fail()).finding == "first_token.slow"
        assert asyncio.get_running_loop().time() - began_s < 1
        assert team.freed

    async def test_time_is_left_for_those_behind(self) -> None:
        team = Team([scripted([9.0]), scripted([9.0]), scripted(["Hi."])], start_s=0.09)
        assert await team.reply() == "Hi."
        assert team.mishaps == ["first_token.slow"] * 2

    async def test_of_much_time_only_so_much_is_kept_back(self) -> None:
        team = Team([scripted([0.2, "Hi."]), scripted([])], start_s=RESERVE_S + 0.3)
        assert await team.reply() == "Hi."

    async def test_only_the_start_is_bounded(self) -> None:
        team = Team([scripted(["Hello", 0.1, " there."])], start_s=0.05)
        assert await team.reply() == "Hello there."


class TestHedging:
    async def test_the_first_words_win_and_the_other_is_freed(self) -> None:
        team = Team([scripted([9.0]), scripted(["Quick."])], hedge_after_s=0.02)
        assert await team.reply() == "Quick."
        assert (team.mishaps, team.freed, team.health.of(0).failures) == ([], True, 0)

    async def test_the_main_one_may_still_win(self) -> None:
        team = Team([scripted([0.06, "Main."]), scripted([9.0])], hedge_after_s=0.02)
        assert await team.reply() == "Main."
        assert (team.asked, team.freed) == ([1, 1], True)

    async def test_a_quick_one_is_asked_alone(self) -> None:
        team = Team([scripted(["Main."]), scripted(["No."])], hedge_after_s=0.05)
        assert await team.reply() == "Main."
        assert team.asked == [1, 0]

    async def test_the_fallback_may_fail_meanwhile(self) -> None:
        team = Team([scripted([0.05, "Main."]), scripted([DOWN])], hedge_after_s=0.01)
        assert await team.reply() == "Main."
        assert team.mishaps == ["connect.refused"]

    async def test_after_a_failure_there_is_nothing_to_hedge(self) -> None:
        llms = [scripted([DOWN]), scripted([0.05, "Second."]), scripted(["Third."])]
        team = Team(llms, hedge_after_s=0.01)
        assert await team.reply() == "Second."
        assert team.asked == [1, 1, 0]

    async def test_without_a_fallback_it_means_nothing(self) -> None:
        team = Team([scripted([0.03, "Main."])], hedge_after_s=0.01)
        assert await team.reply() == "Main."


class TestInterrupted:
    async def test_before_any_word_everybody_is_freed(self) -> None:
        team = Team([scripted([9.0]), scripted([9.0])], hedge_after_s=0.01)
        asking = asyncio.create_task(team.reply())
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (team.asked, team.freed) == ([1, 1], True)

    async def test_in_the_middle_its_server_is_freed_and_it_counts_as_an_answer(self) -> None:
        team = Team([scripted([DOWN], ["Once ", "upon ", "a time."]), scripted(["Hi."])])
        await team.reply()
        async with aclosing(team.llm.reply(HELLO)) as pieces:
            assert await anext(pieces) == "Once "
        assert (team.freed, team.health.of(0).failures) == (True, 0)


class TestHealth:
    async def test_one_that_keeps_failing_rests_and_the_fallback_is_first(self) -> None:
        main = scripted(*[[DOWN]] * FAILURES, ["Main."])
        team = Team([main, scripted(*[["Hi."]] * 5)])
        with capture_logs() as logs:
            for _ in range(FAILURES + 2):
                assert await team.reply() == "Hi."
        assert main.asked == FAILURES
        assert [line["llm"] for line in logs if line["event"] == "llm_rests"] == ["llm 0"]

    async def test_a_resting_one_is_still_better_than_nobody(self) -> None:
        team = Team([scripted(*[[DOWN]] * FAILURES, ["Main."]), scripted(*[[DOWN]] * 9)])
        for _ in range(FAILURES):
            await team.fail()
        assert await team.reply() == "Main."

    async def test_health_is_shared_by_all_conversations(self) -> None:
        health = Health()
        for _ in range(FAILURES):
            await Team([scripted([DOWN]), scripted(["Hi."])], health=health).reply()
        other = Team([scripted(["Main."]), scripted(["Hi."])], health=health)
        assert await other.reply() == "Hi."
        assert other.asked == [0, 1]

    @pytest.mark.parametrize(
        "error", [owners_error(), LlmError("too many", finding="rate.limited")]
    )
    async def test_what_is_wrong_with_one_key_is_nobody_elses_trouble(
        self, error: LlmError
    ) -> None:
        team = Team([scripted(*[[error]] * 5), scripted(*[["Hi."]] * 5)])
        for _ in range(5):
            await team.reply()
        assert team.asked == [5, 5]

    async def test_the_built_in_one_never_rests(self) -> None:
        team = Team([])
        team.llm = team.standby.bind([Runner(scripted([DOWN], [DOWN], [DOWN], ["Hi."]))])
        for _ in range(3):
            await team.fail()
        assert await team.reply() == "Hi."

    async def test_when_all_fail_again_and_again_each_rest_is_told_once(self) -> None:
        team = Team([scripted(*[[DOWN]] * 5), scripted(*[[DOWN]] * 5)])
        with capture_logs() as logs:
            for _ in range(5):
                await team.fail()
        rests = [line["llm"] for line in logs if line["event"] == "llm_rests"]
        assert rests == ["llm 0", "llm 1"]

    async def test_a_call_that_shows_that_it_is_well_again_is_told_once(self) -> None:
        team = Team([scripted(*[[DOWN]] * FAILURES, ["Main."], ["Main."])])
        for _ in range(FAILURES):
            await team.fail()
        with capture_logs() as logs:
            assert [await team.reply() for _ in range(2)] == ["Main."] * 2
        assert [line["event"] for line in logs] == ["llm_is_well_again"]


class TestProbes:
    async def rest(self, probe: Scripted, start_s: float = 5.0) -> Team:
        """A team whose main one rests, and is due for a probe."""
        health = Health()
        began_s = asyncio.get_running_loop().time() - 20.0
        for _ in range(FAILURES):
            health.failed(0, began_s)
        return Team(
            [scripted(["Main."]), scripted(["Hi."], ["Hi."])],
            health=health,
            probe=probe,
            start_s=start_s,
        )

    async def test_one_that_is_well_again_is_the_first_again(self) -> None:
        probe = scripted(["Hello", " and so on."])
        team = await self.rest(probe)
        with capture_logs() as logs:
            assert await team.reply() == "Hi."
            await asyncio.sleep(0.01)
        assert [line["event"] for line in logs] == ["llm_is_well_again"]
        assert (probe.asked, probe.closed) == (1, 1)
        assert await team.reply() == "Main."

    @pytest.mark.parametrize("answer", [[DOWN], [9.0]])
    async def test_one_that_is_not_rests_longer(self, answer: list[LlmError | float]) -> None:
        team = await self.rest(scripted(answer), start_s=0.05)
        assert await team.reply() == "Hi."
        await asyncio.sleep(0.1)
        assert team.health.of(0).rest_s == 60
        assert await team.reply() == "Hi."

    async def test_closing_ends_it(self) -> None:
        probe = scripted([9.0])
        team = await self.rest(probe)
        await team.reply()
        await asyncio.sleep(0)
        await team.standby.close()
        assert (probe.asked, probe.closed) == (1, 1)


# Functions -------------------------------------------------------------------------------------

CALL = ToolCall("c1", "look_up", '{"day": "Monday"}')
OFFERED = [Tool("look_up")]


async def collect(team: Team, messages: Sequence[Message] = HELLO) -> list[Piece]:
    return [piece async for piece in team.llm.reply(messages, tools=OFFERED)]


async def test_a_call_is_as_good_as_a_word() -> None:
    team = Team([scripted([CALL]), scripted(["No."])])
    assert await collect(team) == [CALL]
    assert (team.asked, team.llms[0].offered) == ([1, 0], [["look_up"]])


async def test_blanks_before_a_call_are_kept_in_order() -> None:
    team = Team([scripted(["\n", CALL, CALL])])
    assert await collect(team) == ["\n", CALL, CALL]


async def test_a_fallback_is_offered_the_same_and_told_the_results_so_far() -> None:
    team = Team([scripted([DOWN]), scripted(["Nine."])])
    told = [*HELLO, Message("assistant", "", (CALL,)), Message("tool", "9 to 5", call_id="c1")]
    assert await collect(team, told) == ["Nine."]
    assert team.llms[1].offered == [["look_up"]]
    assert team.llms[1].messages == [told]
