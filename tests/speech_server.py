"""A speech server that answers as a test says, and an engine that asks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiohttp import web

from sayso.engines import EngineConfig, load_engine
from sayso.llm.fake import running_app
from sayso.models import MODELS_DIR

KEY = "sk-very-secret"
Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncGenerator[str]:
    """Run a server on a real socket that answers every request so; gives its base URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with running_app(app) as url:
        yield f"{url}/v1"


@asynccontextmanager
async def asking(
    group: str, answer: Answer, timeout_s: float = 5.0, **options: str
) -> AsyncGenerator[Any]:
    """An open engine `openai` of an entry-point group, and a server that answers it so."""
    async with answering(answer) as url:
        config = make_config({"url": url, "api_key": KEY} | options, timeout_s)
        engine = load_engine(group, "openai", config)
        await engine.open()
        try:
            yield engine
        finally:
            await engine.close()


def always(**response: Any) -> Answer:  # noqa: ANN401 - web.Response's own arguments
    """Answer the same each time."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(**response)

    return answer


def make_config(
    options: Mapping[str, str], timeout_s: float = 5.0, *, private: bool = True
) -> EngineConfig:
    """What an engine is made from, with `options` as the operator wrote them."""
    return EngineConfig(
        models_dir=MODELS_DIR, timeout_s=timeout_s, options=options, outbound_private=private
    )
