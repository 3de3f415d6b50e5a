from __future__ import annotations

import re

import pytest

from picky_server import Picky, running
from sayso.llm import Endpoint
from sayso.llm.catalogue import Severity
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.profile import Answers, Limit
from sayso.llm.tolerance import MAX_FIELDS
from sayso.llm.verdict import CheckReport


@pytest.fixture
def checker(client: LlmClient) -> LlmCheck:
    return LlmCheck(client, budget_s=8.0)


def codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


async def check(checker: LlmCheck, picky: Picky, **fields: object) -> CheckReport:
    async with running(picky) as url:
        return await checker.check(Endpoint(url, **fields))  # type: ignore[arg-type]


async def test_a_tolerant_server_is_asked_two_things(checker: LlmCheck) -> None:
    picky = Picky()
    report = await check(checker, picky, temperature=0.5, max_tokens=9, extra={"top_p": 0.5})
    assert report.ok
    assert report.findings == ()
    assert report.profile.refused == frozenset()
    assert len(picky.bodies) == 2
    assert picky.bodies[0].keys() == {
        "model", "messages", "stream", "temperature", "max_tokens", "top_p",
    }  # fmt: skip


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_a_culprit_that_nobody_names_is_found_by_trying(
    checker: LlmCheck, status: int
) -> None:
    picky = Picky(refuses=frozenset({"temperature", "seed"}), status=status)
    report = await check(
        checker, picky, temperature=0.5, max_tokens=9, extra={"top_p": 0.5, "seed": 1}
    )
    assert report.ok
    assert codes(report) == {"params.rejected"}
    assert "seed, temperature" in report.findings[0].message
    assert report.profile.refused == {"temperature", "seed"}
    assert not report.profile.temperature
    assert report.profile.limit is Limit.MAX_TOKENS
    last = picky.bodies[-1]
    assert last["max_tokens"] == 9
    assert last["top_p"] == 0.5
    assert "seed" not in last


async def test_the_newer_name_of_max_tokens_is_tried(checker: LlmCheck) -> None:
    picky = Picky(refuses=frozenset({"max_tokens"}))
    report = await check(checker, picky, max_tokens=9)
    assert report.ok
    assert codes(report) == {"max_tokens.renamed"}
    assert report.profile.limit is Limit.MAX_COMPLETION_TOKENS
    assert report.profile.refused == frozenset()
    assert picky.bodies[-1]["max_completion_tokens"] == 9


async def test_no_name_of_max_tokens_is_taken(checker: LlmCheck) -> None:
    picky = Picky(refuses=frozenset({"max_tokens", "max_completion_tokens"}))
    report = await check(checker, picky, max_tokens=9)
    assert report.ok
    assert codes(report) == {"params.rejected"}
    assert report.profile.limit is Limit.NONE


async def test_a_server_that_refuses_everything_is_asked_once_more(checker: LlmCheck) -> None:
    picky = Picky(refuses=frozenset({"model"}))
    report = await check(checker, picky, temperature=0.5)
    assert not report.ok
    assert codes(report) == {"request.refused"}
    assert report.findings[0].evidence == '{"error": {"message": "bad request"}}'
    assert len(picky.bodies) == 2
    report = await check(checker, Picky(refuses=frozenset({"model"})))
    assert codes(report) == {"request.refused"}


async def test_fields_beyond_the_limit_are_left_out_together(checker: LlmCheck) -> None:
    extra = {f"field_{n:02d}": n for n in range(MAX_FIELDS + 3)}
    picky = Picky(refuses=frozenset({"field_00"}))
    report = await check(checker, picky, extra=extra)
    assert report.ok
    left_out = {"field_00", *list(extra)[MAX_FIELDS:]}
    assert report.profile.refused == left_out


async def test_a_busy_server_is_asked_one_thing_after_the_other(checker: LlmCheck) -> None:
    picky = Picky(refuses=frozenset({"seed"}), slots=1, first_s=0.05)
    report = await check(checker, picky, temperature=0.5, extra={"seed": 1, "top_p": 1})
    assert report.ok
    assert report.profile.refused == {"seed"}
    assert picky.most == 1


async def test_without_a_system_role_the_prompt_goes_into_the_first_message(
    checker: LlmCheck,
) -> None:
    picky = Picky(roles=frozenset({"user", "assistant"}))
    report = await check(checker, picky)
    assert report.ok
    assert codes(report) == {"system.refused"}
    assert not report.profile.system
    assert [message["role"] for message in picky.bodies[-1]["messages"]] == [
        "user", "assistant", "user",
    ]  # fmt: skip


async def test_a_server_that_takes_no_conversation_does_not_pass(checker: LlmCheck) -> None:
    report = await check(checker, Picky(roles=frozenset({"user"})))
    assert not report.ok
    assert codes(report) == {"history.refused"}
    assert report.findings[0].severity is Severity.ERROR
    assert report.stages[-1].state.value == "failed"
    assert all(stage.state.value != "failed" for stage in report.stages[:-1])


@pytest.mark.parametrize("swallows_headers", [False, True])
async def test_an_answer_that_is_held_back_is_told_from_a_stream(
    client: LlmClient, swallows_headers: bool
) -> None:
    client.deadlines = client.deadlines.__class__(first_token_s=10.0)
    picky = Picky(first_s=0.1, token_s=0.06, holds_back=True, swallows_headers=swallows_headers)
    report = await check(LlmCheck(client, budget_s=8.0), picky)
    assert report.ok
    assert codes(report) == {"stream.buffered"}
    assert "callers wait 0." in report.findings[0].message
    assert report.profile.answers is Answers.BUFFERED


@pytest.mark.parametrize(
    "picky",
    [
        Picky(),
        Picky(holds_back=True),
        Picky(first_s=0.35, token_s=0.01),
        Picky(first_s=0.35),
        Picky(first_s=0.35, says="Aye."),
        Picky(first_s=0.02, token_s=0.08),
    ],
    ids=["quick", "quick-at-once", "thinks", "thinks-and-bursts", "one-word", "slow-stream"],
)
async def test_streams_are_not_blamed(client: LlmClient, picky: Picky) -> None:
    client.deadlines = client.deadlines.__class__(first_token_s=10.0)
    report = await check(LlmCheck(client, budget_s=8.0), picky)
    assert report.ok
    assert "stream.buffered" not in codes(report)


async def test_plain_json_names_what_it_costs(client: LlmClient) -> None:
    async with running_fake(FakeConfig(first_token_s=0.3)) as url:
        report = await LlmCheck(client, budget_s=8.0).check(Endpoint(url, model="quirk:json"))
    assert report.ok
    assert codes(report) == {"body.json_not_sse"}
    waited = re.search(r"Callers wait (\d+\.\d) s", report.findings[0].message)
    assert waited
    assert float(waited[1]) >= 0.3, "the LLM takes that long, and a busy machine longer"
    assert report.profile.answers is Answers.JSON
