"""Spans over a real socket, to a stand-in for a collector."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from collector import Collector, collecting
from documents import ROOT
from sayso import __version__
from sayso.app import make_traces
from sayso.errors import InstallationError
from sayso.observe import traces
from sayso.observe.traces import EXPORTER_LOG, Traces, open_traces, traces_url
from sayso.observe.waterfall import Timings

AT = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
TIMINGS: Timings = {"endpoint_s": 0.45, "first_sound_sent_s": 0.64, "played_s": 2.0}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    yield
    logging.getLogger(EXPORTER_LOG).filters[:] = []


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def converse(sender: Traces, conversation_id: str = "c1") -> None:
    """One conversation of two turns, the second of which failed and was cut off."""
    sender.opened(conversation_id, "a1", source="web", at=AT)
    sender.turn(conversation_id, 1, TIMINGS, after(5))
    failed = {"failure": "http.html", "blame": "llm", "interrupted": "true"}
    sender.turn(conversation_id, 2, {"endpoint_s": 0.4, "interrupted_s": 1.5, **failed}, after(9))
    sender.ended(conversation_id, by="user", error_code=None, at=after(10))


def is_within(collector: Collector) -> bool:
    """Whether every span lies within its parent, in one trace."""
    by_id = {span.id: span for span in collector.spans}
    return all(
        span.begins_ns <= span.ends_ns
        and (not span.parent_id or by_id[span.parent_id].begins_ns <= span.begins_ns)
        and (not span.parent_id or span.ends_ns <= by_id[span.parent_id].ends_ns)
        and (not span.parent_id or span.trace_id == by_id[span.parent_id].trace_id)
        for span in collector.spans
    )


# What arrives ----------------------------------------------------------------------------------


async def test_a_conversation_is_a_trace_with_a_span_a_turn_and_a_step() -> None:
    async with collecting() as collector:
        sender = open_traces(collector.url)
        converse(sender)
        await sender.close()
    (conversation,) = collector.named("conversation")
    assert conversation.facts == {
        "sayso.conversation.id": "c1",
        "sayso.agent.id": "a1",
        "sayso.source": "web",
        "sayso.ended_by": "user",
    }
    assert conversation.ends_ns - conversation.begins_ns == 10_000_000_000
    assert conversation.begins_ns == 1_777_636_800_250_000_000
    first, second = collector.children(conversation)
    assert first.facts == {
        "sayso.conversation.id": "c1",
        "sayso.agent.id": "a1",
        "sayso.reply.number": 1,
        "sayso.interrupted": False,
    }
    assert first.begins_ns - conversation.begins_ns == 3_000_000_000
    assert [span.name for span in collector.children(first)] == [
        "endpoint", "first_sound_sent", "heard",
    ]  # fmt: skip
    assert second.failed
    assert not first.failed
    assert second.facts["sayso.failure"] == second.facts["error.type"] == "http.html"
    assert (second.facts["sayso.blame"], second.facts["sayso.interrupted"]) == ("llm", True)
    assert is_within(collector)
    assert collector.service["service.name"] == "sayso"
    assert collector.service["service.version"] == __version__


async def test_every_conversation_has_a_trace_of_its_own() -> None:
    async with collecting() as collector:
        sender = open_traces(collector.url)
        for name in ("c1", "c2", "c1"):
            converse(sender, name)
        await sender.close()
    assert len({span.trace_id for span in collector.named("conversation")}) == 3
    assert is_within(collector)


async def test_a_conversation_that_failed_says_so() -> None:
    async with collecting() as collector:
        sender = open_traces(collector.url)
        sender.opened("c1", "a1", source="api", at=AT)
        sender.ended("c1", by="error", error_code=4500, at=after(1))
        await sender.close()
    (span,) = collector.spans
    assert span.failed
    assert span.facts["sayso.error_code"] == 4500


async def test_a_clock_that_jumped_back_leaves_spans_inside_each_other() -> None:
    async with collecting() as collector:
        sender = open_traces(collector.url)
        sender.opened("c1", "a1", source="web", at=AT)
        sender.turn("c1", 1, TIMINGS, after(-60))
        sender.ended("c1", by="user", error_code=None, at=after(-50))
        await sender.close()
    assert is_within(collector)


async def test_what_is_told_of_an_unknown_conversation_is_left_out() -> None:
    async with collecting() as collector:
        sender = open_traces(collector.url)
        sender.turn("c1", 1, TIMINGS, AT)
        sender.ended("c1", by="user", error_code=None, at=AT)
        converse(sender)
        await sender.close()
    assert len(collector.named("conversation")) == 1


async def test_open_conversations_are_bounded_and_sent_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "MAX_OPEN", 2)
    async with collecting() as collector:
        sender = open_traces(collector.url)
        for number in range(5):
            sender.opened(f"c{number}", "a1", source="web", at=AT)
        assert len(sender._open) == 2
        await sender.close()
    assert len(collector.spans) == 5


async def test_the_operators_own_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk 7")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary%2Dkey")
    async with collecting() as collector:
        sender = open_traces(collector.url + "/v1/traces")
        converse(sender)
        await sender.close()
    assert collector.service["service.name"] == "desk 7"
    assert collector.headers["x-key"] == "canary-key"


# Collectors that do not take it ------------------------------------------------------------------


async def test_a_refusal_is_logged_without_the_operators_headers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary%2Dkey,other")
    async with collecting() as collector:
        collector.refusal = (401, "canary-key is no key; nor is canary%2Dkey. " + "x" * 5000)
        sender = open_traces(collector.url)
        converse(sender)
        await sender.close()
    told = [line.getMessage() for line in caplog.records if line.name == EXPORTER_LOG]
    assert any("401" in line for line in told)
    assert not any("canary" in line for line in told)
    assert all(len(line) <= traces.MAX_LOG_CHARS for line in told)


async def test_a_redirect_is_not_followed() -> None:
    async with collecting() as collector:
        collector.refusal = (307, "")
        sender = open_traces(collector.url)
        converse(sender)
        await sender.close()
        assert len(collector.bodies) == 1


async def test_nobody_waits_for_a_collector_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "CLOSE_WITHIN_S", 0.1)
    answered = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = open_traces(f"http://127.0.0.1:{port}")
    began_s = time.process_time()
    for number in range(1000):
        converse(sender, f"c{number}")
    print(f"\n  a turn costs {(time.process_time() - began_s) / 2000 * 1e6:.0f} µs")
    await sender.close()
    answered.set()
    server.close()
    closing = [thread for thread in threading.enumerate() if thread.name == traces.CLOSING]
    for thread in closing:  # it gives up as soon as its last request has failed
        await asyncio.to_thread(thread.join, 20)
    assert closing
    assert not any(thread.is_alive() for thread in closing)


# Off, or not installed ---------------------------------------------------------------------------


def test_nothing_of_it_is_imported_unless_it_is_configured() -> None:
    program = (
        "import sys, sayso.app as app; from sayso.config import Settings;"
        "import tempfile, pathlib; folder = pathlib.Path(tempfile.mkdtemp());"
        "app.Server(Settings(data_dir=folder));"
        "sdk = ('opentelemetry.sdk', 'opentelemetry.exporter', 'sayso.observe.traces');"
        "print([name for name in sys.modules if name.startswith(sdk)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sayso.observe.traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InstallationError, match="OpenTelemetry is not installed") as problem:
        make_traces("http://127.0.0.1:4318")
    assert problem.value.hint is not None
    extra = read_extra("otel")
    assert all(name in problem.value.hint for name in extra)


def read_extra(name: str) -> list[str]:
    """The packages of an extra, without their versions: a checkout cannot be asked for an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [one.partition(">")[0] for one in project["optional-dependencies"][name]]


@pytest.mark.parametrize(
    ("given", "posted"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otlp", "https://c/otlp/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
    ],
)
def test_a_collector_is_named_by_its_base_url_or_in_full(given: str, posted: str) -> None:
    assert traces_url(given) == posted


async def test_a_function_that_was_called_is_a_span_without_what_was_said() -> None:
    rows = [
        {"name": "book", "arguments": '{"who": "Ada"}', "began_s": 0.1, "ended_s": 0.3},
        {"name": "look", "result": "Ada", "began_s": 0.1, "ended_s": 0.2, "finding": "call.failed"},
    ]
    async with collecting() as collector:
        sender = open_traces(collector.url)
        at = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
        sender.opened("c1", "a1", source="web", at=at)
        timings = {"endpoint_s": 0.1, "played_s": 0.5, "calls": rows}
        sender.turn("c1", 1, timings, at + timedelta(seconds=1))
        sender.ended("c1", by="user", error_code=None, at=at + timedelta(seconds=2))
        await sender.close()
    book, look = collector.named("call")
    assert book.facts == {"sayso.function": "book"}
    assert (book.failed, book.ends_ns - book.begins_ns) == (False, 200_000_000)
    assert look.failed
    assert look.facts == {"sayso.function": "look", "error.type": "call.failed"}
    assert is_within(collector)
