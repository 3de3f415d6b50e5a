"""A stand-in for an OpenTelemetry collector: takes spans by OTLP over HTTP, and keeps them.

    python tests/collector.py 4318        prints each span it gets
    SAYSO_TRACES_URL=http://127.0.0.1:4318 sayso serve

It speaks the real protocol (protobuf, `POST /v1/traces`, gzip or plain), as
https://opentelemetry.io/docs/specs/otlp/#otlphttp describes it, and can be told to refuse.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ARRIVES_WITHIN_S = 20.0


@dataclass(frozen=True)
class Got:
    """One span as it came."""

    name: str
    trace_id: str
    id: str
    parent_id: str
    begins_ns: int
    ends_ns: int
    facts: dict[str, Any]
    failed: bool

    def __str__(self) -> str:
        lasts_ms = (self.ends_ns - self.begins_ns) / 1e6
        return f"{self.trace_id[:8]} {self.name:<20} {lasts_ms:8.1f} ms  {self.facts}"


@dataclass
class Collector:
    """A running collector.

    Attributes:
        spans: what it got, in order.
        service: the attributes of whoever sent the last batch.
        bodies: every request as it came.
        headers: of the last request.
        refusal: the status and text of every answer from now on; None to accept.
        listen: called with each span.
    """

    url: str = ""
    spans: list[Got] = field(default_factory=list)
    service: dict[str, Any] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    listen: Callable[[Got], None] = lambda _: None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._changed:
            self.bodies.append(body)
            self.headers = dict(request.headers)
            if self.refusal is None:
                self._read(ExportTraceServiceRequest.FromString(body))
            self._changed.notify_all()
        if self.refusal is not None:
            return web.Response(status=self.refusal[0], text=self.refusal[1])
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    def _read(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.service = facts_of(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(got_of(span))
                    self.listen(self.spans[-1])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for requests until `holds()`."""
        async with asyncio.timeout(ARRIVES_WITHIN_S), self._changed:
            await self._changed.wait_for(holds)

    def named(self, name: str) -> list[Got]:
        """The spans of one name, by their beginning."""
        return sorted((s for s in self.spans if s.name == name), key=lambda s: s.begins_ns)

    def children(self, parent: Got) -> list[Got]:
        """The spans directly inside another, by their beginning."""
        inside = (span for span in self.spans if span.parent_id == parent.id)
        return sorted(inside, key=lambda span: (span.begins_ns, span.ends_ns))


def got_of(span: Span) -> Got:
    """A protobuf span as a plain value."""
    return Got(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        facts_of(span.attributes),
        span.status.code == span.status.STATUS_CODE_ERROR,
    )


def facts_of(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Protobuf attributes as a dict."""
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}


@asynccontextmanager
async def collecting(port: int = 0) -> AsyncGenerator[Collector]:
    """Run a collector on loopback until the end of the block."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


async def _print_all(port: int) -> None:
    async with collecting(port) as collector:
        collector.listen = print
        print(collector.url)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_print_all(int(sys.argv[1])))
