"""Answers that call a function, each in a shape of its own.

One that was offered a function which the caller's words mean calls that, and says what it returned;
else it calls `lookup`, which nobody offered, or speaks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from aiohttp import web

from sayso.llm.fake.answer import Answer, cut_pieces
from sayso.llm.fake.functions import FunctionCall, read_results
from sayso.llm.fake.quirk import Catalogue

CALLING = Catalogue()
LOOKUP = FunctionCall("lookup")

Shape: TypeAlias = Callable[[str, str], Sequence[object]]
"""Makes the deltas of a call out of its name and its arguments."""


def _entry(name: str, arguments: object, **more: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def _calls(*entries: object) -> dict[str, object]:
    return {"tool_calls": list(entries)}


def _calling(name: str, does: str, shape: Shape, finish: str = "tool_calls") -> None:
    async def play(answer: Answer) -> web.StreamResponse:
        if read_results(answer.messages):
            return await answer.speak()
        await answer.open()
        for call in answer.calls() or [LOOKUP]:
            for delta in shape(call.name, json.dumps(call.arguments)):
                await answer.send(answer.openai_chunk(delta))
        await answer.send(answer.openai_chunk({}, finish))
        await answer.write("data: [DONE]\n\n")
        return await answer.finish(done=False)

    play.__doc__ = does
    CALLING.fails(name, "stream.tool_calls_only")(play)


# As such -------------------------------------------------------------------------------------

_calling(
    "tool_call",
    "Calls a function it was never given, and says nothing.",
    lambda name, text: [_calls(_entry(name, text, index=0, id="call_1"))],
)
_calling(
    "tool_index_1",
    "Calls a function whose index starts at 1 (pipecat-ai/pipecat#4987).",
    lambda name, text: [_calls(_entry(name, text, index=1, id="call_1"))],
)
_calling(
    "tool_no_index",
    "Calls a function without an index (ollama/ollama#7881).",
    lambda name, text: [_calls(_entry(name, text, id=f"call_{name}"))],
)
_calling(
    "tool_no_id",
    "Calls a function without an id (vllm-project/vllm#18412).",
    lambda name, text: [_calls(_entry(name, text, index=0))],
)
_calling(
    "tool_null_arguments",
    "Calls a function with `arguments: null` (vllm-project/vllm#9693).",
    lambda name, _: [_calls(_entry(name, None, index=0, id="c"))],
)
_calling(
    "tool_object_arguments",
    "Calls a function whose arguments are an object, and no text, as Ollama's own dialect has it.",
    lambda name, text: [_calls(_entry(name, json.loads(text)))],
)
_calling(
    "tool_twice_encoded",
    "Encodes the arguments of its call twice.",
    lambda name, text: [_calls(_entry(name, json.dumps(text), index=0, id="call_1"))],
)
_calling(
    "tool_apart",
    "Sends a call's id, name and arguments apart, the arguments not JSON.",
    lambda name, _: [
        _calls({"index": 0, "id": "call_1", "type": "function"}),
        _calls({"index": 0, "function": {"name": name}}),
        _calls({"index": 0, "function": {"arguments": "{city: Graz"}}),
    ],
)
_calling(
    "tool_pieces",
    "Sends its call in pieces, with `null` for what each lacks, and all of it again at the end.",
    lambda name, text: [
        _calls({"index": 0, "id": "call_1", "function": {"name": name, "arguments": None}}),
        *(
            _calls({"index": 0, "id": None, "function": {"name": None, "arguments": piece}})
            for piece in cut_pieces(text)
        ),
        _calls(_entry(name, text, index=0, id="call_1")),
    ],
)
_calling(
    "tool_repeated",
    "Sends all that its call has so far, again and again.",
    lambda name, text: [
        _calls(_entry(name, text[:chars], index=0, id="call_1"))
        for chars in range(1, len(text) + 1)
    ],
)
_calling(
    "tool_id_inside",
    "Puts a call's id into its function (ggml-org/llama.cpp#13800).",
    lambda name, text: [
        _calls({"index": 0, "function": {"id": "call_1", "name": name, "arguments": text}})
    ],
)
_calling(
    "tool_stop",
    'Calls a function, and ends with `finish_reason: "stop"`.',
    lambda name, text: [_calls(_entry(name, text, index=0, id="call_1"))],
    finish="stop",
)
_calling(
    "tool_no_end",
    "Calls a function, and ends with no reason.",
    lambda name, text: [_calls(_entry(name, text, index=0, id="call_1"))],
    finish="",
)
_calling(
    "function_call",
    "Calls a function in the old `function_call` field.",
    lambda name, text: [
        {"function_call": {"name": name, "arguments": text[:1]}},
        {"function_call": {"arguments": text[1:]}},
    ],
)
_calling(
    "tool_reason_only",
    'Ends with `finish_reason: "tool_calls"`, and never says which function.',
    lambda _name, _text: [],
)


@CALLING.fails("tool_interleaved", "stream.tool_calls_only")
async def _tool_interleaved(answer: Answer) -> web.StreamResponse:
    """Calls several functions at once, a piece of each in turn."""
    if read_results(answer.messages):
        return await answer.speak()
    calls = answer.calls() or [LOOKUP, LOOKUP]
    await answer.open()
    for n, call in enumerate(calls):
        await answer.send(answer.openai_chunk(_calls(_entry(call.name, "", index=n, id=f"c{n}"))))
    texts = [json.dumps(call.arguments) for call in calls]
    for at in range(max(map(len, texts))):
        for n, text in enumerate(texts):
            more = {"index": n, "function": {"arguments": text[at : at + 1]}}
            await answer.send(answer.openai_chunk(_calls(more)))
    return await answer.finish()


@CALLING.fails("json_tool_call", "stream.tool_calls_only")
async def _json_tool_call(answer: Answer) -> web.StreamResponse:
    """Calls a function it was never given, as JSON in one piece."""
    if read_results(answer.messages):
        return web.json_response(answer.completion())
    entries = [
        _entry(call.name, json.dumps(call.arguments), id=f"call_{n}")
        for n, call in enumerate(answer.calls() or [LOOKUP])
    ]
    message = {"role": "assistant", "content": None, "tool_calls": entries}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return web.json_response({**answer.completion(), "choices": [choice]})


# In its words --------------------------------------------------------------------------------


async def _write(answer: Answer, form: str, calls: Sequence[FunctionCall]) -> web.StreamResponse:
    """Write `calls` in `form`: `%(name)s`, `%(arguments)s`, `%(call)s`."""
    if not read_results(answer.messages) and calls:
        written = [
            form
            % {
                "name": call.name,
                "arguments": json.dumps(call.arguments),
                "call": json.dumps({"name": call.name, "arguments": call.arguments}),
            }
            for call in calls
        ]
        answer.pieces = cut_pieces("".join(written))
    return await answer.speak()


@CALLING.fails("tool_in_words", "stream.tool_calls_only")
async def _tool_in_words(answer: Answer) -> web.StreamResponse:
    """Writes a call of a function as its only words (livekit/agents PR#5840)."""
    return await _write(answer, "<tool_call>%(call)s</tool_call>", answer.calls() or [LOOKUP])


@CALLING.fails("tool_marked", "stream.tool_calls_only")
async def _tool_marked(answer: Answer) -> web.StreamResponse:
    """Writes a call of a function as Mistral's models do where nobody parses it."""
    return await _write(answer, "[TOOL_CALLS][%(call)s]", (answer.calls() or [LOOKUP])[:1])


@CALLING.fails("tool_tagged", "stream.tool_calls_only")
async def _tool_tagged(answer: Answer) -> web.StreamResponse:
    """Writes a call of a function as `<function=name>{...}</function>`, as Llama's models do."""
    form = "<function=%(name)s>%(arguments)s</function>"
    return await _write(answer, form, answer.calls() or [LOOKUP])


@CALLING.spoken("tool_fenced")
async def _tool_fenced(answer: Answer) -> web.StreamResponse:
    """Writes a call of an offered function as a block of JSON code, and makes up its result."""
    form = "```json\n%(call)s\n```\nThe result is 42."
    return await _write(answer, form, answer.calls())


@CALLING.spoken("tool_bare")
async def _tool_bare(answer: Answer) -> web.StreamResponse:
    """Writes a call of an offered function as bare JSON."""
    return await _write(answer, "%(call)s\n", answer.calls())
