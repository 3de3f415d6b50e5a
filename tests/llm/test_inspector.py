"""What a check teaches, and what it must not undo; interleaved by hand, without a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sayso.llm import Endpoint
from sayso.llm.aside import Quiet
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.findings import Finding, Scene
from sayso.llm.inspector import Inspector
from sayso.llm.profile import STRANGER, MemoryProfiles, Profile, key_of
from sayso.llm.progress import Tell, keep_still
from sayso.llm.verdict import CheckReport

ENDPOINT = Endpoint("https://llm.example.com/v1")
KEY = key_of(ENDPOINT, DEFAULT_MODEL)
SCENE = Scene("https://llm.example.com/v1/chat/completions")
QUICK = replace(STRANGER, first_token_ms=12.5)
WHOLE = replace(QUICK, tools=True, parallel=False)


class Scripted(LlmCheck):
    """A check that finds what it is told, and lets something happen meanwhile."""

    def __init__(self, *findings: Finding, ok: bool = True) -> None:
        super().__init__(LlmClient(Deadlines()))
        self.findings = findings
        self.ok = ok
        self.meanwhile: Callable[[], object] = object
        self.asked = False
        self.completes = True

    async def check(self, endpoint: Endpoint, tell: Tell = keep_still) -> CheckReport:
        await self._be_overtaken()
        url = f"{endpoint.base_url}/chat/completions"
        return CheckReport(self.ok, self.findings, url, 12.5, 20.0, "", profile=QUICK)

    async def deepen(
        self, endpoint: Endpoint, report: CheckReport, quiet: Quiet | None = None
    ) -> CheckReport:
        self.asked = quiet is not None and quiet()
        await self._be_overtaken()
        return replace(report, profile=WHOLE, complete=self.completes)

    async def _be_overtaken(self) -> None:
        self.meanwhile()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


class World:
    """An inspector, its check, and conversations that learn."""

    def __init__(self, *findings: Finding, ok: bool = True) -> None:
        self.profiles = MemoryProfiles()
        self.check = Scripted(*findings, ok=ok)
        self.inspector = Inspector(self.check, self.profiles, lambda: True)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def known(self) -> Profile:
        return self.profiles.get(KEY)

    def amend(self, change: Callable[[Profile], Profile]) -> Callable[[], object]:
        """What a conversation does when a refusal taught it something."""

        def learn() -> None:
            since = self.known
            put = self.profiles.put(KEY, change(since), since)
            self._tasks.append(asyncio.create_task(put))

        return learn


async def test_one_that_ignores_tools_is_told_in_words_until_it_was_tried_again() -> None:
    world = World()
    await world.profiles.put(KEY, replace(STRANGER, tools=False))
    seen = await world.inspector.look(ENDPOINT)
    await seen.learn()
    assert world.known == replace(QUICK, tools=False)
    await seen.deepen()
    assert world.known == WHOLE
    assert WHOLE.tools


async def test_a_look_teaches_only_when_asked_to() -> None:
    world = World()
    seen = await world.inspector.look(ENDPOINT)
    assert world.known is STRANGER
    await seen.learn()
    assert world.known == QUICK
    assert (await seen.deepen()).complete
    assert world.known == WHOLE
    assert world.check.asked


async def test_a_look_that_found_no_quiet_says_so_and_keeps_what_it_learned() -> None:
    world = World()
    world.check.completes = False
    seen = await world.inspector.look(ENDPOINT)
    with capture_logs() as logs:
        assert not (await seen.deepen()).complete
    assert [line["event"] for line in logs] == ["llm_check_stays_quick"]
    assert world.known == WHOLE


async def test_what_a_conversation_learns_during_the_check_survives() -> None:
    world = World()
    world.check.meanwhile = world.amend(lambda known: known.refusing("seed"))
    seen = await world.inspector.look(ENDPOINT)
    world.check.meanwhile = object
    await seen.learn()
    assert world.known == QUICK.refusing("seed")
    await seen.deepen()
    assert world.known == WHOLE.refusing("seed")


async def test_what_a_conversation_learns_during_the_deeper_look_survives() -> None:
    world = World()
    seen = await world.inspector.look(ENDPOINT)
    await seen.learn()
    world.check.meanwhile = world.amend(lambda known: replace(known, thinks_first=True))
    await seen.deepen()
    assert world.known == replace(WHOLE, thinks_first=True)


async def test_two_checks_of_one_endpoint_do_not_undo_each_other() -> None:
    world = World()
    one, two = await world.inspector.look(ENDPOINT), await world.inspector.look(ENDPOINT)
    await one.learn()
    await one.deepen()
    await two.learn()
    assert world.known == WHOLE
    await two.deepen()
    assert world.known == WHOLE


@pytest.mark.parametrize("deep", [False, True])
async def test_the_operators_own_llm_that_passes(deep: bool) -> None:
    world = World(SCENE.find("stream.no_end"))
    with capture_logs() as lines:
        await world.inspector.look_at_own(ENDPOINT, deep=deep)
    assert world.known == (WHOLE if deep else QUICK)
    assert lines == [
        {
            "event": "builtin_llm_checked",
            "log_level": "info",
            "result": "passed",
            "url": SCENE.url,
            "first_token_ms": 12.5,
        }
    ]


@pytest.mark.parametrize(("ok", "result"), [(True, "passed with warnings"), (False, "failed")])
async def test_what_is_wrong_with_it_is_one_warning(ok: bool, result: str) -> None:
    code = "stream.bad_json" if ok else "stream.empty"
    world = World(SCENE.find(code), SCENE.find("stream.no_end"), ok=ok)
    with capture_logs() as lines:
        await world.inspector.look_at_own(ENDPOINT, deep=True)
    assert [(line["log_level"], line["result"]) for line in lines] == [("warning", result)]
    assert lines[0]["findings"] == [code]
    assert lines[0]["fixes"] == [SCENE.find(code).fix]
    assert world.known == (WHOLE if ok else STRANGER)
