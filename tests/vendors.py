"""The doors of LLM servers people have: what each lets in, how it refuses, how it streams.

Stand-ins for the recipes of the guide. A door is written from its vendor's documentation and from
refusals people reported, which are cited; behind it stands the fake LLM, and what it says is cut as
that vendor cuts it. No door knows more than a caller can see of it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from sayso.llm.fake import FakeConfig, Received
from sayso.llm.fake.answer import Answer

KEY = "sk-vendor-0123456789abcdef"
"""The key that opens every door with a lock."""

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request at the door."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Refusal:
    """What is answered instead; text goes out as it is, the rest as JSON."""

    status: int
    says: object


@dataclass(frozen=True)
class Vendor:
    """One vendor's server.

    Attributes:
        name: the heading of its recipe.
        refuse: why a request is not let in; None if it is.
        stream: the events of an answer in these pieces.
    """

    name: str
    refuse: Callable[[Asked], Refusal | None]
    stream: Callable[[Body, list[str]], Iterable[object]]


def error(status: int, message: str, **more: object) -> Refusal:
    """OpenAI's shape of an error."""
    told = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Refusal(status, {"error": told | more})


def chunk(delta: object, finish: str | None = None, **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "choices": [choice],
        **more,
    }


# Ollama ----------------------------------------------------------------------------------------
# docs: "OpenAI compatibility": /v1/chat/completions; the key is "required but ignored"; fields it
# does not know are ignored, too. Model names without a tag mean `:latest`. An unknown one is 404
# (ollama/ollama-python#149, netease-youdao/QAnything#555). Other paths are Go's own 404.

OLLAMA_MODELS = ("llama3.2:latest",)


def _refuse_ollama(asked: Asked) -> Refusal | None:
    if asked.path != "/v1/chat/completions":
        return Refusal(404, "404 page not found")
    model = str(asked.body.get("model", ""))
    if (model if ":" in model else f"{model}:latest") not in OLLAMA_MODELS:
        message = f'model "{model}" not found, try pulling it first'
        return error(404, message, type="api_error")
    return None


def _stream_ollama(body: Body, pieces: list[str]) -> Iterable[object]:
    """Names the role in every chunk."""
    more = {"model": body["model"], "system_fingerprint": "fp_ollama"}
    for piece in pieces:
        yield chunk({"role": "assistant", "content": piece}, **more)
    yield chunk({"role": "assistant", "content": ""}, "stop", **more)


# llama.cpp -------------------------------------------------------------------------------------
# tools/server/README.md: one model, whatever `model` says; the same with and without /v1; the
# errors' shapes and the first chunk, whose content is null, are those of its server.
# tests/e2e/test_local_llm.py asks the real one.


def _refuse_llama(asked: Asked, *, key: str | None = None) -> Refusal | None:
    if key is not None and asked.bearer != key:
        told = {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}
        return Refusal(401, {"error": told})
    if asked.path not in ("/v1/chat/completions", "/chat/completions"):
        told = {"code": 404, "message": "File Not Found", "type": "not_found_error"}
        return Refusal(404, {"error": told})
    return None


def llama_loading(requests: int) -> Vendor:
    """A llama.cpp that is loading its model while the first `requests` come."""
    left = iter(range(requests))

    def refuse(asked: Asked) -> Refusal | None:
        if next(left, None) is None:
            return _refuse_llama(asked)
        told = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
        return Refusal(503, {"error": told})

    return Vendor("llama.cpp", refuse, _stream_llama)


def _stream_llama(body: Body, pieces: list[str]) -> Iterable[object]:
    """Begins with a null; ends with how long it took."""
    yield chunk({"role": "assistant", "content": None})
    for piece in pieces:
        yield chunk({"content": piece})
    yield chunk({}, "stop", timings={"prompt_n": 1, "predicted_n": len(pieces)})


# vLLM ------------------------------------------------------------------------------------------
# "OpenAI-Compatible Server": --api-key guards /v1; `chat_template_kwargs` is an extra parameter,
# and its `enable_thinking: false` switches Qwen3's thinking off, which is on otherwise. Fields it
# does not know are ignored. The model is the one that was started, or 404.

VLLM_MODEL = "Qwen/Qwen3-8B"


def _refuse_vllm(asked: Asked) -> Refusal | None:
    if asked.path.startswith("/v1") and asked.bearer != KEY:
        return Refusal(401, {"error": "Unauthorized"})
    if asked.path != "/v1/chat/completions":
        return Refusal(404, {"detail": "Not Found"})
    if (model := asked.body.get("model")) != VLLM_MODEL:
        message = f"The model `{model}` does not exist."
        return error(404, message, type="NotFoundError", param="model", code=404)
    return None


def _stream_vllm(body: Body, pieces: list[str]) -> Iterable[object]:
    """Thinks first, unless it was told not to."""
    yield chunk({"role": "assistant", "content": ""})
    if body.get("chat_template_kwargs", {}).get("enable_thinking", True):
        yield chunk({"reasoning_content": "The user wants a sentence."})
    for piece in pieces:
        yield chunk({"content": piece})
    yield chunk({"content": ""}, "stop", stop_reason=None)


# LM Studio -------------------------------------------------------------------------------------
# docs: "OpenAI Compatibility Endpoints": /v1, no key. Every other path answers 200 with an error
# (lmstudio-ai/lmstudio-bug-tracker#618).

LM_STUDIO_MODEL = "qwen2.5-7b-instruct"


def _refuse_lm_studio(asked: Asked) -> Refusal | None:
    if asked.path != "/v1/chat/completions":
        told = f"Unexpected endpoint or method. (POST {asked.path})"
        return Refusal(200, {"error": told})
    if (model := asked.body.get("model")) != LM_STUDIO_MODEL:
        message = f'Failed to load model "{model}". Error: Model not found'
        return error(404, message, param="model", code="model_not_found")
    return None


def _stream_lm_studio(body: Body, pieces: list[str]) -> Iterable[object]:
    for piece in pieces:
        yield chunk({"role": "assistant", "content": piece}, model=body["model"])
    yield chunk({}, "stop", model=body["model"])


# OpenAI ----------------------------------------------------------------------------------------
# "Create chat completion". A wrong key is quoted, with stars in it. Fields it does not know are
# 400. Reasoning models refuse `max_tokens` (microsoft/clarity-agent#59) and any temperature but 1.

OPENAI_FIELDS = frozenset(
    "model messages stream temperature top_p max_tokens max_completion_tokens stop user metadata "
    "tools tool_choice stream_options store seed n".split()
)
OPENAI_MODELS = ("gpt-4o-mini", "gpt-5-mini")
OPENAI_REASONING = ("gpt-5-mini",)


def _refuse_openai(asked: Asked) -> Refusal | None:
    if asked.path != "/v1/chat/completions":
        return error(404, f"Invalid URL (POST {asked.path})")
    if not asked.bearer:
        return error(
            401, "You didn't provide an API key. You need to provide your API key in an ..."
        )
    if asked.bearer != KEY:
        shown = f"{asked.bearer[:8]}****{asked.bearer[-4:]}"
        return error(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")
    return _refuse_openai_body(asked.body)


def _refuse_openai_body(body: Body) -> Refusal | None:
    model = body.get("model")
    if model not in OPENAI_MODELS:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return error(404, message, code="model_not_found")
    for name in body:
        if name not in OPENAI_FIELDS:
            message = f"Unknown parameter: '{name}'."
            return error(400, message, param=name, code="unknown_parameter")
    return _refuse_reasoning(body) if model in OPENAI_REASONING else None


def _refuse_reasoning(body: Body) -> Refusal | None:
    if "max_tokens" in body:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        message += "'max_completion_tokens' instead."
        return error(400, message, param="max_tokens", code="unsupported_parameter")
    if (temperature := body.get("temperature", 1)) != 1:
        message = f"Unsupported value: 'temperature' does not support {temperature} with this "
        message += "model. Only the default (1) value is supported."
        return error(400, message, param="temperature", code="unsupported_value")
    return None


def _stream_openai(body: Body, pieces: list[str]) -> Iterable[object]:
    more = {"model": f"{body['model']}-2024-07-18", "service_tier": "default", "usage": None}
    yield chunk({"role": "assistant", "content": "", "refusal": None}, **more)
    for piece in pieces:
        yield chunk({"content": piece}, **more, obfuscation="x7Q")
    yield chunk({}, "stop", **more)


# Azure -----------------------------------------------------------------------------------------
# "Azure OpenAI in Foundry Models REST API": the deployment is in the path and `model` is ignored,
# `api-version` is required, and the key is in `api-key`. A wrong deployment is 404
# (chatboxai/chatbox#646). The first event has no choices, only what the filter says of the prompt.

AZURE_DEPLOYMENT = "my-deployment"
AZURE_PATH = f"/openai/deployments/{AZURE_DEPLOYMENT}/chat/completions"


def _refuse_azure(asked: Asked) -> Refusal | None:
    if asked.headers.get("api-key") != KEY:
        message = "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
        message += "to provide a valid key for an active subscription."
        return Refusal(401, {"error": {"code": "401", "message": message}})
    if "api-version" not in asked.query or not asked.path.startswith("/openai/deployments/"):
        return Refusal(404, {"error": {"code": "404", "message": "Resource not found"}})
    if asked.path != AZURE_PATH:
        message = "The API deployment for this resource does not exist. If you created the "
        message += "deployment within the last 5 minutes, please wait a moment and try again."
        return Refusal(404, {"error": {"code": "DeploymentNotFound", "message": message}})
    return None


def _stream_azure(body: Body, pieces: list[str]) -> Iterable[object]:
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    results = [{"prompt_index": 0, "content_filter_results": safe}]
    yield {"choices": [], "id": "", "model": "", "prompt_filter_results": results}
    yield from _stream_openai({"model": "gpt-4o-mini"}, pieces)


OLLAMA = Vendor("Ollama", _refuse_ollama, _stream_ollama)
LLAMA = Vendor("llama.cpp", _refuse_llama, _stream_llama)
LLAMA_LOCKED = Vendor("llama.cpp", lambda asked: _refuse_llama(asked, key=KEY), _stream_llama)
VLLM = Vendor("vLLM", _refuse_vllm, _stream_vllm)
LM_STUDIO = Vendor("LM Studio", _refuse_lm_studio, _stream_lm_studio)
OPENAI = Vendor("OpenAI", _refuse_openai, _stream_openai)
AZURE = Vendor("Azure", _refuse_azure, _stream_azure)

VENDORS = (OLLAMA, LLAMA, VLLM, LM_STUDIO, OPENAI, AZURE)


# The server ------------------------------------------------------------------------------------


@dataclass
class Door:
    """A vendor's server under way.

    Attributes:
        origin: scheme, host and port.
        vendor: whose it is.
        received: every request that came, let in or not.
    """

    origin: str
    vendor: Vendor
    received: list[Received]


@asynccontextmanager
async def running_vendor(vendor: Vendor) -> AsyncIterator[Door]:
    """Run a vendor's server on a port of its own."""
    door = Door("", vendor, [])

    async def answer(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text() or "{}")
        headers = dict(request.headers)
        door.received.append(Received(request.method, request.path_qs, headers, body))
        asked = Asked(request.path, request.query, request.headers, body)
        if (refusal := door.vendor.refuse(asked)) is not None:
            return _send_refusal(refusal)
        try:
            return await _play(door.vendor, Answer(request, CONFIG, body))
        except ConnectionResetError:
            return web.Response()  # the caller hung up; nobody is left to answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield door
    finally:
        await runner.cleanup()


CONFIG = FakeConfig(first_token_s=0.0, token_s=0.01)


def _send_refusal(refusal: Refusal) -> web.Response:
    if isinstance(refusal.says, str):
        return web.Response(status=refusal.status, text=refusal.says)
    return web.json_response(refusal.says, status=refusal.status)


async def _play(vendor: Vendor, answer: Answer) -> web.StreamResponse:
    await answer.open()
    for event in vendor.stream(answer.body, answer.pieces):
        await answer.wait()
        await answer.send(event)
    await answer.write("data: [DONE]\n\n")
    return await answer.finish(done=False)
