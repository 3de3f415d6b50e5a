"""Conversations as OpenTelemetry traces, sent where the operator says, and nowhere unless they do.

    conversation                     one trace
      turn                           one span a reply, from the end of the caller's speech
        transcript, endpoint, …      one span a step, from the step before it
        call                         one span a function that was called, with its name
        heard                        from the first sound sent to the last one played

Spans are made from the record of a turn once it is over, so nothing here is on the path of sound.
A thread of OpenTelemetry's sends them; while the collector does not answer, they wait, and past
`MAX_WAITING_SPANS` they are dropped. They carry ids, times, numbers and codes: never words, names
or keys.

Importing this file takes half a second and needs the extra `sayso[otel]`; `app.py` does so only
where traces are wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context

from sayso import __version__
from sayso.observe.waterfall import (
    Call,
    Fact,
    Step,
    Timings,
    read_calls,
    read_end_s,
    read_facts,
    read_steps,
)

MAX_WAITING_SPANS = 8192
"""Spans waiting for the collector; about 800 turns."""

MAX_OPEN = 10_000
"""Conversations whose end is awaited; past it, the oldest is taken to have ended."""

CLOSE_WITHIN_S = 3.0
"""How long a stopping server tries to send what is left, in seconds."""

PATH = "/v1/traces"
SERVICE = "sayso"
CLOSING = "traces-closing"
HEADER_SETTINGS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
EXPORTER_LOG = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
MAX_LOG_CHARS = 300

# Spans -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A conversation under way: its span, and how far its turns reach."""

    span: Span
    agent_id: str
    began_ns: int
    reached_ns: int


class Traces:
    """Makes the spans of all conversations of a server. Made by `open_traces`.

    Args:
        tracer: makes spans.
        send_rest: sends what waits, and ends; may take long.
        give_up: lets `send_rest` go no further than the request under way.
    """

    def __init__(
        self, tracer: Tracer, send_rest: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        self._tracer = tracer
        self._send_rest = send_rest
        self._give_up = give_up
        self._open: dict[str, _Open] = {}

    def opened(self, conversation_id: str, agent_id: str, *, source: str, at: datetime) -> None:
        """A conversation began: a trace of its own."""
        self._let_go(conversation_id)
        while len(self._open) >= MAX_OPEN:
            self._let_go(next(iter(self._open)))
        attributes = {
            "sayso.conversation.id": conversation_id,
            "sayso.agent.id": agent_id,
            "sayso.source": source,
        }
        began_ns = _ns(at)
        span = self._tracer.start_span(
            "conversation", context=Context(), start_time=began_ns, attributes=attributes
        )
        self._open[conversation_id] = _Open(span, agent_id, began_ns, began_ns)

    def turn(self, conversation_id: str, number: int, timings: Timings, at: datetime) -> None:
        """A turn is over: a span for it, and one for each step."""
        if (held := self._open.get(conversation_id)) is None:
            return
        end_s = read_end_s(timings)
        zero_ns = max(held.began_ns, _ns(at) - _span_ns(end_s))
        facts = read_facts(timings)
        attributes: dict[str, Fact] = {
            "sayso.conversation.id": conversation_id,
            "sayso.agent.id": held.agent_id,
            "sayso.reply.number": number,
            **{f"sayso.{key}": value for key, value in facts.items()},
        }
        span = self._tracer.start_span(
            "turn",
            context=set_span_in_context(held.span),
            start_time=zero_ns,
            attributes=attributes,
        )
        if failure := facts.get("failure"):
            span.set_attribute("error.type", failure)
            span.set_status(Status(StatusCode.ERROR, str(failure)))
        for step in read_steps(timings):
            self._make_step(span, step, zero_ns).end(zero_ns + _span_ns(step.ends_s))
        for call in read_calls(timings):
            self._make_call(span, call, zero_ns)
        over_ns = zero_ns + _span_ns(end_s)
        span.end(over_ns)
        held.reached_ns = max(held.reached_ns, over_ns)

    def _make_step(self, turn: Span, step: Step, zero_ns: int) -> Span:
        begins_ns = zero_ns + _span_ns(step.begins_s)
        return self._tracer.start_span(
            step.name, context=set_span_in_context(turn), start_time=begins_ns
        )

    def _make_call(self, turn: Span, call: Call, zero_ns: int) -> None:
        span = self._make_step(turn, call.step, zero_ns)
        span.set_attribute("sayso.function", call.name)
        if call.finding:
            span.set_attribute("error.type", call.finding)
            span.set_status(Status(StatusCode.ERROR, call.finding))
        span.end(zero_ns + _span_ns(call.step.ends_s))

    def ended(self, conversation_id: str, *, by: str, error_code: int | None, at: datetime) -> None:
        """A conversation is over; so is its trace."""
        if (held := self._open.get(conversation_id)) is None:
            return
        held.span.set_attribute("sayso.ended_by", by)
        if error_code is not None:
            held.span.set_attribute("sayso.error_code", error_code)
        if by == "error":
            held.span.set_status(Status(StatusCode.ERROR))
        held.reached_ns = max(held.reached_ns, _ns(at))
        self._let_go(conversation_id)

    def _let_go(self, conversation_id: str) -> None:
        if (held := self._open.pop(conversation_id, None)) is not None:
            held.span.end(held.reached_ns)

    async def close(self) -> None:
        """Send what is left, for at most `CLOSE_WITHIN_S`; the rest is lost."""
        for conversation_id in tuple(self._open):
            self._let_go(conversation_id)
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            self._send_rest()
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(done.set)

        # A daemon, because a thread of a pool would keep the process until the collector answers.
        threading.Thread(target=work, name=CLOSING, daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await done.wait()
        except TimeoutError:
            self._give_up()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ns(at: datetime) -> int:
    """A moment in nanoseconds, without the rounding of a float."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _span_ns(seconds: float) -> int:
    return round(seconds * 1e9)


# Where they go ---------------------------------------------------------------------------------


def open_traces(url: str) -> Traces:
    """Send traces by OTLP over HTTP to the collector at `url`, such as `http://127.0.0.1:4318`.

    What else may be said of an exporter (headers, certificates, the service's name) is read from
    OpenTelemetry's own `OTEL_*` variables.
    """
    resource = Resource.create({"service.version": __version__})
    if not os.environ.get("OTEL_SERVICE_NAME"):
        resource = resource.merge(Resource({"service.name": SERVICE}))
    keep_headers_from_log()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=traces_url(url))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MAX_WAITING_SPANS))
    return Traces(provider.get_tracer(SERVICE, __version__), provider.shutdown, exporter.shutdown)


def traces_url(url: str) -> str:
    """Where spans are posted: `/v1/traces` of the collector, unless `url` says so itself."""
    bare = url.rstrip("/")
    return bare if bare.endswith(PATH) else bare + PATH


def keep_headers_from_log() -> None:
    """Let no line about a failed export quote the operator's headers, as a collector may do."""
    secrets = [
        value
        for setting in HEADER_SETTINGS
        for pair in os.environ.get(setting, "").split(",")
        for value in {pair.partition("=")[2].strip(), unquote(pair.partition("=")[2]).strip()}
        if value
    ]

    def scrub(line: logging.LogRecord) -> bool:
        text = line.getMessage()
        for secret in secrets:
            text = text.replace(secret, "[secret]")
        line.msg, line.args = text[:MAX_LOG_CHARS], ()
        return True

    logger = logging.getLogger(EXPORTER_LOG)
    logger.filters[:] = [scrub]
