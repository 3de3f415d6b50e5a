from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import SecretStr

from sayso.llm import Endpoint, Timeouts
from sayso.llm.candidates import MAX_CANDIDATES, advise_url, list_candidates
from sayso.llm.catalogue import Severity
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, Received, create_fake_app, running_app, running_fake
from sayso.llm.profile import Profile
from sayso.llm.tolerance import PROMPT, SMOKE_SENTENCE
from sayso.llm.verdict import CheckReport

KEY = "sk-very-secret-1234"


@pytest.fixture
def checker(client: LlmClient) -> LlmCheck:
    return LlmCheck(client, budget_s=2.0)


def codes(report: CheckReport) -> list[str]:
    return [finding.code for finding in report.findings]


async def test_playais_fake_passes(checker: LlmCheck, fake: str, received: list[Received]) -> None:
    report = await checker.check(Endpoint(f"{fake}/", SecretStr("dummy")))
    assert report.ok
    assert report.findings == ()
    assert report.answer == SMOKE_SENTENCE
    assert report.url == f"{fake}/chat/completions"
    assert report.first_token_ms is not None
    assert report.first_token_ms <= report.total_ms < 2000
    smoke, conversation = received
    assert smoke.body == {
        "model": "gpt-3.5-turbo",
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
    }
    roles = [message["role"] for message in cast("Any", conversation.body["messages"])]
    assert roles == ["system", "user", "assistant", "user"]
    assert [stage.state.value for stage in report.stages] == [
        "skipped" if stage.name == "tls" else "ok" for stage in report.stages
    ]
    assert {stage.name.value for stage in report.stages if stage.ms is not None} == {
        "connect",
        "http",
        "first_token",
        "cadence",
        "end",
    }
    assert report.profile == Profile(first_token_ms=report.first_token_ms)
    assert not report.complete
    assert "The smoke test has passed." in PROMPT


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bad_json", ["stream.bad_json"]),
        ("choices_empty", []),
        ("cumulative", ["stream.cumulative"]),
        ("different", ["answer.different"]),
        ("json", ["body.json_not_sse"]),
        ("no_done", ["stream.no_end"]),
        ("reasoning", ["stream.reasoning"]),
        ("think_inline", ["stream.reasoning"]),
    ],
)
async def test_what_works_with_a_warning(
    checker: LlmCheck, fake: str, name: str, expected: list[str]
) -> None:
    report = await checker.check(Endpoint(fake, model=f"quirk:{name}"))
    assert report.ok
    assert codes(report) == expected
    assert all(finding.severity is not Severity.ERROR for finding in report.findings)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("401", "auth.refused"),
        ("404_model", "model.unknown"),
        ("429", "rate.limited"),
        ("500", "http.status"),
        ("choices_null", "stream.no_choices"),
        ("cut", "stream.cut"),
        ("empty", "stream.empty"),
        ("error_object", "stream.error_object"),
        ("hang", "first_token.slow"),
        ("html", "http.html"),
        ("keep_alive", "first_token.slow"),
        ("reasoning_only", "stream.reasoning_only"),
        ("redirect", "redirect.refused"),
        ("text", "body.not_sse"),
        ("tool_call", "stream.tool_calls_only"),
    ],
)
async def test_what_does_not_work(checker: LlmCheck, fake: str, name: str, code: str) -> None:
    report = await checker.check(Endpoint(fake, SecretStr(KEY), f"quirk:{name}"))
    assert not report.ok
    assert codes(report)[0] == code
    first = report.findings[0]
    assert first.severity is Severity.ERROR
    assert first.message
    assert first.fix
    assert report.suggestion is None
    assert KEY not in repr(report)


async def test_every_failure_has_its_own_message(checker: LlmCheck, fake: str) -> None:
    names = ("401", "429", "empty", "html", "json_error", "reasoning_only", "text", "redirect")
    reports = [await checker.check(Endpoint(fake, model=f"quirk:{name}")) for name in names]
    messages = {report.findings[0].message for report in reports}
    assert len(messages) == len(names)


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("http://127.0.0.1:1/v1", "connect.refused"),
        ("http://no-such-host.invalid/v1", "dns.failed"),
        ("ftp://127.0.0.1/v1", "url.bad"),
        ("", "url.bad"),
        ("http://[::1/v1", "url.bad"),
        ("http://169.254.169.254/latest", "outbound.refused"),
    ],
)
async def test_what_cannot_be_called(checker: LlmCheck, base_url: str, code: str) -> None:
    report = await checker.check(Endpoint(base_url, SecretStr(KEY)))
    assert not report.ok
    assert codes(report) == [code]
    assert report.first_token_ms is None
    assert report.answer == ""


@pytest.mark.parametrize("elsewhere", ["html", "not_found"])
@pytest.mark.parametrize(
    ("prefix", "given", "suggestion"),
    [
        ("/v1", "", "/v1"),
        ("", "/v1", ""),
        ("/v1", "/v1/v1", "/v1"),
        ("/v1", "/v1/chat/completions", "/v1"),
        ("/v1", "/v1/chat", "/v1"),
        ("/v1", "/v1/models", "/v1"),
        ("", "/chat/completions/", ""),
        ("/v1", "/wrong", "/v1"),
        ("/api/v1", "", "/api/v1"),
    ],
)
async def test_a_wrong_path_gets_the_right_one_proposed(
    checker: LlmCheck, elsewhere: str, prefix: str, given: str, suggestion: str
) -> None:
    config = FakeConfig(
        first_token_s=0,
        token_s=0,
        prefix=prefix,
        elsewhere="html" if elsewhere == "html" else "not_found",
    )
    async with running_fake(config) as url:
        report = await checker.check(Endpoint(url + given))
    assert not report.ok
    assert codes(report)[0] == {"html": "http.html", "not_found": "path.not_found"}[elsewhere]
    assert report.suggestion == url + suggestion
    assert f"Set baseURL to {url}{suggestion}" in report.findings[0].fix


async def test_no_proposal_where_nothing_works(checker: LlmCheck) -> None:
    async with running_fake(FakeConfig(prefix="/hidden/deep")) as url:
        report = await checker.check(Endpoint(url))
    assert not report.ok
    assert report.suggestion is None


async def test_a_key_that_is_refused_is_not_tried_elsewhere(
    checker: LlmCheck, fake: str, received: list[Received]
) -> None:
    await checker.check(Endpoint(fake, SecretStr(KEY), "quirk:401"))
    assert len(received) == 1


async def test_a_redirect_on_the_same_host_is_proposed(client: LlmClient) -> None:
    assert list_candidates("http://h/a", "/v1/chat/completions")[0] == "http://h/v1"
    assert list_candidates("http://h/a", "https://h/v1/chat/completions")[0] == "https://h/v1"


@pytest.mark.parametrize(
    "location",
    [
        "http://evil/v1/chat/completions",
        "http://h:81/chat/completions",
        "//evil/chat/completions",
        "ftp://h/chat/completions",
        "http://[::1/",
        "http://h:x/",
    ],
)
def test_the_key_follows_no_redirect_to_another_host(location: str) -> None:
    assert list_candidates("http://h/a", location) == list_candidates("http://h/a")
    assert all(
        url.startswith("http://h/") or url == "http://h" for url in list_candidates("http://h/a")
    )


def test_a_redirect_never_leaves_tls() -> None:
    found = list_candidates("https://h/a", "http://h/v1/chat/completions")
    assert all(url.startswith("https://") for url in found)


def test_candidates_are_few_and_different() -> None:
    for base_url in ("http://h", "http://h/v1/", "http://h/v1/v1/chat/completions", "http://h/x/y"):
        found = list_candidates(base_url)
        assert len(found) <= MAX_CANDIDATES
        assert len(set(found)) == len(found)
        assert base_url.rstrip("/") not in found


@pytest.mark.parametrize(
    ("base_url", "meant"),
    [
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        (" 192.168.1.7/v1 ", "http://192.168.1.7/v1"),
        ("8.8.8.8", "http://8.8.8.8"),
        ("[::1]:3000/v1", "http://[::1]:3000/v1"),
        ("localhost:11434/v1", "http://localhost:11434/v1"),
        ("ollama:11434", "http://ollama:11434"),
        ("box.local/v1", "http://box.local/v1"),
        ("llm.example.com/v1", "https://llm.example.com/v1"),
        ("llm.example.com:8443/v1?key=sk-1", "https://llm.example.com:8443/v1?…"),
    ],
)
def test_a_url_without_its_beginning_gets_one(base_url: str, meant: str) -> None:
    assert advise_url(base_url) == f"Set baseURL to {meant}, if that is what you meant."


@pytest.mark.parametrize(
    "base_url", ["", "/v1", "ftp://h/v1", "https:/h/v1", "no words", "h:port", "[::1", "http://"]
)
def test_what_was_meant_is_not_always_known(base_url: str) -> None:
    assert advise_url(base_url) is None


@pytest.mark.parametrize("beginning", ["http://", "https://", ""])
async def test_a_password_belongs_into_the_key(checker: LlmCheck, beginning: str) -> None:
    report = await checker.check(Endpoint(f"{beginning}ann:pa55word@llm.example.com/v1"))
    assert codes(report) == ["url.bad"]
    assert "llm.apiKey" in report.findings[0].fix
    assert "pa55word" not in repr(report)


@pytest.mark.parametrize(
    ("name", "http", "content"),
    [
        ("silent", "skipped", "skipped"),
        ("hang", "ok", "skipped"),
        ("keep_alive", "ok", "ok"),
        ("html", "ok", "failed"),
        ("500", "failed", "skipped"),
    ],
)
async def test_a_stage_nothing_came_of_is_not_ok(
    checker: LlmCheck, fake: str, name: str, http: str, content: str
) -> None:
    report = await checker.check(Endpoint(fake, model=f"quirk:{name}"))
    states = {stage.name.value: stage.state.value for stage in report.stages}
    assert (states["http"], states["content"]) == (http, content)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        (Endpoint(""), "no key was sent"),
        (Endpoint("", headers={"X-Tenant": "one"}), "no key was sent"),
        (Endpoint("", SecretStr(KEY)), "the key was refused"),
        (Endpoint("", headers={"api-key": KEY}), "the key was refused"),
        (Endpoint("", query={"code": KEY}), "the key was refused"),
    ],
)
async def test_a_key_that_was_not_sent_was_not_refused(
    checker: LlmCheck, fake: str, status: int, endpoint: Endpoint, problem: str
) -> None:
    report = await checker.check(replace(endpoint, base_url=fake, model=f"quirk:{status}"))
    assert codes(report) == ["auth.refused"]
    assert f"answered {status}: {problem}." in report.findings[0].message
    assert report.findings[0].fix.startswith("Check llm.apiKey: ")


@pytest.mark.parametrize("status", [405, 501])
async def test_a_web_site_that_takes_no_post_is_no_api(checker: LlmCheck, status: int) -> None:
    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1/"):
            return await handler(request)
        page = "<!DOCTYPE HTML>\n<html><p>Unsupported method ('POST')."
        return web.Response(status=status, text=page, content_type="text/html")

    site = create_fake_app(FakeConfig(first_token_s=0, token_s=0, prefix="/v1"))
    site.middlewares.append(refuse)
    async with running_app(site) as url:
        report = await checker.check(Endpoint(url))
    assert codes(report) == ["http.html"]
    assert f"answered {status} with a web page" in report.findings[0].message
    assert report.suggestion == f"{url}/v1"


async def test_the_whole_check_keeps_its_budget(client: LlmClient) -> None:
    async with running_fake(FakeConfig(first_token_s=9, prefix="/v1")) as url:
        begun_s = asyncio.get_running_loop().time()
        report = await LlmCheck(client, budget_s=0.3).check(Endpoint(url))
    assert not report.ok
    assert asyncio.get_running_loop().time() - begun_s < 0.8


async def test_no_time_left_for_candidates(client: LlmClient, fake: str) -> None:
    report = await LlmCheck(client, budget_s=0.0).check(Endpoint(fake, model="quirk:html"))
    assert not report.ok
    assert report.suggestion is None


async def test_a_late_first_word_is_a_warning(
    checker: LlmCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.llm.check.LATE_S", 0.05)
    async with running_fake(FakeConfig(first_token_s=0.1, token_s=0)) as url:
        report = await checker.check(Endpoint(url))
    assert report.ok
    assert codes(report) == ["answer.late"]


async def test_who_is_too_slow_for_the_check_is_told_of_the_checks_own_limit(
    client: LlmClient,
) -> None:
    client.deadlines = Deadlines(first_token_s=10.0)
    endpoint_waits = Timeouts(first_token_s=30.0)
    async with running_fake(FakeConfig(first_token_s=60)) as url:
        report = await LlmCheck(client, budget_s=0.3).check(Endpoint(url, timeouts=endpoint_waits))
    slow, capped = report.findings
    assert slow.code == "first_token.slow"
    assert "SAYSO_LLM_CHECK_TIMEOUT_S" in slow.fix
    assert "firstTokenMs" not in slow.fix
    assert (capped.code, capped.severity) == ("timeouts.capped", Severity.WARNING)
    assert "after 20 s" in capped.message
    assert "SAYSO_LLM_REPLY_START_TIMEOUT_S" in capped.fix


async def test_who_is_too_slow_for_its_agent_is_told_of_the_agents_limit(
    client: LlmClient,
) -> None:
    async with running_fake(FakeConfig(first_token_s=60)) as url:
        endpoint = Endpoint(url, timeouts=Timeouts(first_token_s=0.2))
        report = await LlmCheck(client, budget_s=10.0).check(endpoint)
    assert codes(report) == ["first_token.slow"]
    assert "within 0.2 s" in report.findings[0].message
    assert "llm.timeouts.firstTokenMs" in report.findings[0].fix


async def test_an_answer_the_check_cannot_wait_for_names_its_limit(client: LlmClient) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0.15)) as url:
        report = await LlmCheck(client, budget_s=0.4).check(Endpoint(url))
    assert codes(report) == ["stream.too_long"]
    assert " s of it" in report.findings[0].message
    assert "SAYSO_LLM_CHECK_TIMEOUT_S" in report.findings[0].fix
