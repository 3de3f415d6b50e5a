from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from picky_server import Picky, running
from sayso.llm import Endpoint
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, Rule, running_fake
from sayso.llm.fake.answer import TRIED_FUNCTION
from sayso.llm.probes import LETTERS, TOOL, is_queued, probe_tools
from sayso.llm.tolerance import COUNT
from sayso.llm.trial import Answer, on_trial
from sayso.llm.verdict import CheckReport

PACE_S = 0.02


@pytest.fixture
def checker(client: LlmClient) -> LlmCheck:
    client.deadlines = Deadlines(first_token_s=5.0)
    return LlmCheck(client, budget_s=8.0, deep_budget_s=60.0)


def codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


async def deepen(checker: LlmCheck, picky: Picky) -> CheckReport:
    async with running(picky) as url:
        endpoint = Endpoint(url)
        report = await checker.check(endpoint)
        assert report.ok, report.findings
        return await checker.deepen(endpoint, report)


async def test_a_good_server_is_good_in_every_way(checker: LlmCheck) -> None:
    picky = Picky(token_s=PACE_S)
    report = await deepen(checker, picky)
    assert report.ok
    assert report.complete
    assert report.findings == ()
    known = report.profile
    assert known.tools
    assert known.stream_options
    assert known.alternates is False
    assert known.unicode
    assert known.long_prompt
    assert known.parallel
    assert known.keep_alive
    assert known.cancels is None
    assert picky.busy == 0


@pytest.mark.parametrize(
    ("picky", "code", "field"),
    [
        (Picky(refuses=frozenset({"tools"})), "tools.refused", "tools"),
        (Picky(refuses=frozenset({"stream_options"})), None, "stream_options"),
        (Picky(mangles=True), "unicode.broken", "unicode"),
        (Picky(max_chars=2000), "prompt.too_long", "long_prompt"),
        (Picky(closes=True), "keepalive.none", "keep_alive"),
    ],
)
async def test_what_a_server_lacks(
    checker: LlmCheck, picky: Picky, code: str | None, field: str
) -> None:
    report = await deepen(checker, picky)
    assert report.ok
    assert codes(report) == ({code} if code else set())
    assert getattr(report.profile, field) is False
    assert all(finding.fix for finding in report.findings)


def asked_for_calls(picky: Picky) -> list[Mapping[str, Any]]:
    """The requests that offered the function, or told of it."""
    return [body for body in picky.bodies if TOOL.name in body["messages"][-1]["content"]]


async def test_one_that_calls_is_asked_once(checker: LlmCheck) -> None:
    await deepen(checker, picky := Picky())
    (body,) = asked_for_calls(picky)
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("picky", "code", "takes"),
    [
        (Picky(calls="told"), "tools.ignored", False),
        (Picky(calls="told", empty=True), "tools.ignored", False),
        (Picky(calls="told", choices=()), "tools.ignored", False),
        (Picky(calls="told", rambles=10_000), "tools.ignored", False),
        (Picky(calls="never"), "tools.unused", False),
        (Picky(calls="second"), None, True),
        (Picky(calls="must"), "tools.shy", True),
        (Picky(calls="must", choices=(str,)), "tools.shy", True),
        (Picky(calls="must", choices=(dict,)), "tools.shy", True),
    ],
)
async def test_whether_functions_are_called(
    checker: LlmCheck, picky: Picky, code: str | None, takes: bool
) -> None:
    report = await deepen(checker, picky)
    assert report.ok
    assert codes(report) == ({code} if code else set())
    assert report.profile.tools is takes
    assert len(asked_for_calls(picky)) <= 5


async def test_a_call_that_nobody_can_name_proves_nothing(client: LlmClient) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        endpoint = Endpoint(url, model="quirk:tool_reason_only")
        async with on_trial(client, endpoint, budget_s=5.0) as trial:
            await probe_tools(trial)
            assert trial.profile.tools is None
            assert trial.findings == {}


@pytest.mark.parametrize(
    "name", ["tool_index_1", "tool_in_words", "tool_marked", "json_tool_call", "no_null_content"]
)
async def test_calls_count_in_whatever_shape_they_come(client: LlmClient, name: str) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        endpoint = Endpoint(url, model=f"quirk:{name}")
        async with on_trial(client, endpoint, budget_s=5.0) as trial:
            await probe_tools(trial)
            assert trial.profile.tools is True


@pytest.mark.parametrize("mode", ["echo", "scripted", "tools"])
@pytest.mark.parametrize("rules", [(), (Rule("open", "weather"),)])
async def test_the_fake_calls_in_every_mode_unless_it_ignores_tools(
    client: LlmClient, mode: Literal["echo", "scripted", "tools"], rules: tuple[Rule, ...]
) -> None:
    config = FakeConfig(mode, ("Hello.",), 0, 0, rules=rules)
    async with running_fake(config) as url:
        for model, takes in ((None, True), ("quirk:ignores_tools", False)):
            async with on_trial(client, Endpoint(url, model=model), budget_s=5.0) as trial:
                await probe_tools(trial)
                assert trial.profile.tools is takes
                assert set(trial.findings) == (set() if takes else {"tools.ignored"})


async def test_roles_that_must_alternate(checker: LlmCheck) -> None:
    assert (await deepen(checker, Picky(alternating=True))).profile.alternates


async def test_a_server_that_turns_the_second_caller_away(checker: LlmCheck) -> None:
    report = await deepen(checker, Picky(slots=1, token_s=PACE_S))
    assert codes(report) == {"parallel.refused"}
    assert report.profile.parallel is False
    assert report.profile.cancels is True


async def test_a_server_that_lets_the_second_caller_wait(checker: LlmCheck) -> None:
    report = await deepen(checker, Picky(slots=1, queues=True, token_s=PACE_S))
    assert codes(report) == {"parallel.queued"}
    assert report.profile.parallel is False
    assert report.profile.cancels is True


@pytest.mark.parametrize(
    ("one_s", "two_s", "queued"),
    [
        ((0.1, 1.1), (1.2, 2.2), True),
        ((1.2, 2.2), (0.1, 1.1), True),
        ((0.1, 1.1), (1.09, 2.2), True),  # a late reader finds an end and a beginning together
        ((0.1, 1.1), (0.2, 1.3), False),
        ((0.1, 1.1), (0.8, 2.0), False),
        ((0.1, 1.1), (0.6, 0.6), False),  # all of it in one go, meanwhile
        ((0.1, 1.1), (1.2, 1.2), True),
    ],
)
def test_who_waits_begins_when_the_other_is_over(
    one_s: tuple[float, ...], two_s: tuple[float, ...], queued: bool
) -> None:
    one, two = ((Answer("", {}, arrivals_s=times_s), 0.0) for times_s in (one_s, two_s))
    assert is_queued(one, two) is queued


@pytest.mark.parametrize("queues", [False, True])
async def test_a_server_that_goes_on_after_a_hang_up(checker: LlmCheck, queues: bool) -> None:
    picky = Picky(slots=1, queues=queues, deaf=True, token_s=0.05)
    report = await deepen(checker, picky)
    assert "cancel.ignored" in codes(report)
    assert report.profile.cancels is False


async def test_a_failed_check_is_not_looked_into(checker: LlmCheck) -> None:
    report = await checker.check(Endpoint("http://127.0.0.1:1/v1"))
    deep = await checker.deepen(Endpoint("http://127.0.0.1:1/v1"), report)
    assert deep.complete
    assert deep.findings == report.findings


async def test_an_endpoint_that_died_meanwhile_leaves_the_profile_as_it_was(
    checker: LlmCheck,
) -> None:
    async with running(Picky()) as url:
        report = await checker.check(Endpoint(url))
    deep = await checker.deepen(Endpoint(url), report)
    assert deep.ok
    assert deep.profile == report.profile
    assert deep.findings == ()


async def test_the_deep_look_ends_when_its_time_is_up(client: LlmClient) -> None:
    client.deadlines = Deadlines(first_token_s=5.0)
    checker = LlmCheck(client, budget_s=8.0, deep_budget_s=0.3)
    now_s = asyncio.get_running_loop().time
    async with running(Picky(first_s=0.2, token_s=0.05)) as url:
        report = await checker.check(Endpoint(url))
        started_s = now_s()
        deep = await checker.deepen(Endpoint(url), report)
        assert now_s() - started_s < 5 * 0.3
    assert deep.complete
    assert deep.profile.parallel is None


def test_the_probes_ask_what_they_need() -> None:
    assert not LETTERS.isascii()
    assert len(COUNT) > 60
    assert TOOL.name == TRIED_FUNCTION
