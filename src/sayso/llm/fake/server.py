"""The fake as a server: routes, and which quirk a request picks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from sayso.errors import InstallationError
from sayso.llm.fake.answer import Answer, FakeConfig, Received, call_function, shows_quirk
from sayso.llm.fake.failing import PAGE
from sayso.llm.fake.picky import refuse
from sayso.llm.fake.quirks import QUIRKS
from sayso.llm.fake.site import running_app

MAX_REQUEST_BYTES = 4_194_304
MAX_REMEMBERED = 10_000
"""Different requests whose repetitions are counted; then the count begins anew."""


def create_fake_app(config: FakeConfig) -> web.Application:
    """Make the fake as an aiohttp application."""
    asked: Counter[str] = Counter()

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await _read_json(request)
        config.listen(Received(request.method, request.path_qs, dict(request.headers), body))
        question = json.dumps([request.path, body.get("model"), body.get("messages")])
        if len(asked) > MAX_REMEMBERED:
            asked.clear()
        answer = Answer(request, config, body, attempt=asked[question])
        asked[question] += 1
        try:
            standing = config.quirk if shows_quirk(config, answer.messages) else ""
            return await _play(answer, request.match_info.get("quirk"), standing)
        except ConnectionResetError:
            return answer.response  # the caller hung up; nobody is left to answer

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        config.listen(Received(request.method, request.path_qs, dict(request.headers), {}))
        if config.elsewhere == "not_found":
            return web.Response(status=404, text="Not Found")
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    for path in ("/chat/completions", "/quirk/{quirk}/chat/completions"):
        app.router.add_post(f"{config.prefix}{path}", complete)
    app.router.add_route("*", "/{path:.*}", elsewhere)
    return app


async def _play(answer: Answer, by_path: str | None, standing: str) -> web.StreamResponse:
    """Answer as the path says, else as the model's name does, else with the `standing` quirk."""
    by_model = answer.model.removeprefix("quirk:") if answer.model.startswith("quirk:") else ""
    name = by_path or by_model or standing
    if not name:
        return await (call_function(answer, answer.call) if answer.call else answer.speak())
    if name not in QUIRKS:
        return refuse(404, f"model quirk:{name} not found", "model_not_found")
    return await QUIRKS[name].play(answer)


async def _read_json(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text='{"error": {"message": "the body is not JSON"}}') from None
    return body if isinstance(body, dict) else {}


@asynccontextmanager
async def running_fake(
    config: FakeConfig, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Run the fake on this loop; gives its URL, without the prefix. Port 0 takes a free one."""
    async with running_app(create_fake_app(config), host, port) as url:
        yield url


def run_fake(config: FakeConfig, host: str = "127.0.0.1", port: int = 3000) -> None:
    """Run the fake until interrupted, as `sayso fake-llm` does.

    Raises:
        InstallationError: the port cannot be had.
    """

    async def serve() -> None:
        async with running_fake(config, host, port) as url:
            print(
                f"The fake LLM listens at {url}{config.prefix} (baseURL). Stop it with Ctrl-C.",
                flush=True,
            )
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        print("Stopped.")
    except OSError as error:
        raise InstallationError(
            f"{host}:{port} cannot be listened on: {error.strerror}",
            hint="Another fake may be running there; --port names another port.",
        ) from None
