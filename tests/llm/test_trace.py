from __future__ import annotations

from picky_server import Picky, running
from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient
from sayso.llm.trace import Trace


async def ask(client: LlmClient, endpoint: Endpoint) -> None:
    async for _ in client.ask(endpoint, [Message("user", "hello")]).pieces():
        pass


async def test_a_trace_sees_connections_come_and_be_used_again(client: LlmClient) -> None:
    trace = Trace()
    own = client.fresh(trace.config())
    await own.open()
    async with running(Picky()) as url:
        await ask(own, Endpoint(url))
        assert trace.dns_s is None
        assert trace.connect_s is not None
        assert trace.headers_s is not None
        assert 0 < trace.connect_s <= trace.headers_s
        assert (trace.connected, trace.reused) == (1, 0)
        await own.close()


async def test_a_name_is_resolved_first(client: LlmClient) -> None:
    trace = Trace()
    own = client.fresh(trace.config())
    await own.open()
    async with running(Picky()) as url:
        await ask(own, Endpoint(url.replace("127.0.0.1", "localhost")))
        assert trace.dns_s is not None
        assert trace.connect_s is not None
        assert trace.dns_s <= trace.connect_s
        await own.close()
