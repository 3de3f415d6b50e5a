"""Answers whose chunks hold odd things, or come oddly. All can be spoken."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sayso.llm.fake.answer import Answer
from sayso.llm.fake.quirk import Catalogue

ODD = Catalogue()


# Chunks --------------------------------------------------------------------------------------


@ODD.spoken("openai")
async def _openai(answer: Answer) -> web.StreamResponse:
    """Answers as OpenAI does: a role first, a finish reason last, then the usage."""
    await answer.open()
    await answer.send(answer.openai_chunk({"role": "assistant", "content": ""}))
    for piece in answer.pieces:
        await answer.wait()
        await answer.send(answer.openai_chunk({"content": piece}))
    await answer.send(answer.openai_chunk({}, "stop"))
    await answer.send({**answer.openai_chunk({}), "choices": [], "usage": {"total_tokens": 9}})
    await answer.write("data: [DONE]\n\n")
    return await answer.finish(done=False)


@ODD.spoken("role_always")
async def _role_always(answer: Answer) -> web.StreamResponse:
    """Repeats the role in each chunk, and ends with an empty string as its finish reason."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        await answer.send(answer.openai_chunk({"role": "assistant", "content": piece}, ""))
    return await answer.finish()


@ODD.spoken("choices_empty")
async def _choices_empty(answer: Answer) -> web.StreamResponse:
    """Sends `choices: []` first and last, as Azure and `include_usage` have them."""
    await answer.open()
    await answer.send({"choices": [], "prompt_filter_results": []})
    await answer.send(answer.chunk({"role": "assistant", "content": None}))
    await answer.say()
    await answer.send({"choices": [], "usage": {"total_tokens": 9}})
    return await answer.finish()


@ODD.spoken("choices_missing_once")
async def _choices_missing_once(answer: Answer) -> web.StreamResponse:
    """Begins with an event that has no `choices`, and ends with one whose `choices` is null."""
    await answer.open()
    await answer.send({"id": "chatcmpl-fake", "object": "chat.completion.chunk"})
    await answer.say()
    await answer.send({"choices": None, "usage": {"total_tokens": 9}})
    return await answer.finish()


@ODD.spoken("content_null")
async def _content_null(answer: Answer) -> web.StreamResponse:
    """Sends `content: null`, an empty `delta` and a `delta` of null between the words."""
    await answer.open()
    for piece in answer.pieces:
        for delta in ({"content": None}, {}, None):
            await answer.send(answer.openai_chunk(delta))
        await answer.send(answer.openai_chunk({"content": piece}))
    return await answer.finish()


@ODD.spoken("two_choices")
async def _two_choices(answer: Answer) -> web.StreamResponse:
    """Sends a second choice nobody asked for."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        await answer.send(answer.openai_chunk({"content": piece}))
        other = {"index": 1, "delta": {"content": "Something else."}, "finish_reason": None}
        await answer.send({**answer.openai_chunk({}), "choices": [other]})
    return await answer.finish()


@ODD.spoken("parts")
async def _parts(answer: Answer) -> web.StreamResponse:
    """Sends content as a list of parts."""
    await answer.open()
    for piece in answer.pieces:
        await answer.send(answer.chunk({"content": [{"type": "text", "text": piece}]}))
    return await answer.finish()


@ODD.spoken("completion_text")
async def _completion_text(answer: Answer) -> web.StreamResponse:
    """Sends `choices[0].text`, as the old completions endpoint does."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        await answer.send({"choices": [{"index": 0, "text": piece, "finish_reason": None}]})
    return await answer.finish()


@ODD.spoken("refusal")
async def _refusal(answer: Answer) -> web.StreamResponse:
    """Puts its words into `delta.refusal`."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        await answer.send(answer.openai_chunk({"content": None, "refusal": piece}))
    return await answer.finish()


@ODD.spoken("length")
async def _length(answer: Answer) -> web.StreamResponse:
    """Is cut off by its own token limit, and ends with `finish_reason: "length"`."""
    await answer.open()
    await answer.say()
    await answer.send(answer.openai_chunk({}, "length"))
    return await answer.finish(done=False)


@ODD.spoken("cumulative")
async def _cumulative(answer: Answer) -> web.StreamResponse:
    """Repeats the whole answer so far in each event."""
    answer.pieces = ["".join(answer.pieces[: n + 1]) for n in range(len(answer.pieces))]
    return await answer.speak()


@ODD.spoken("messages")
async def _messages(answer: Answer) -> web.StreamResponse:
    """Sends the whole message so far in each event, in place of a delta."""
    await answer.open()
    for n in range(len(answer.pieces)):
        await answer.wait()
        said = {"role": "assistant", "content": "".join(answer.pieces[: n + 1])}
        await answer.send({"choices": [{"index": 0, "message": said, "delta": {}}]})
    return await answer.finish()


# Thoughts, templates, functions --------------------------------------------------------------


@ODD.spoken("reasoning")
async def _reasoning(answer: Answer) -> web.StreamResponse:
    """Sends its thoughts in `reasoning_content` and `reasoning` before the words."""
    await answer.open()
    for name in ("reasoning_content", "reasoning"):
        await answer.send(answer.chunk({name: "The user wants a test. ", "content": None}))
    await answer.say()
    return await answer.finish()


@ODD.spoken("reasoning_empty_content")
async def _reasoning_empty_content(answer: Answer) -> web.StreamResponse:
    """Thinks in chunks that carry an empty `content` beside the thought."""
    await answer.open()
    for thought in ("The user ", "wants a test."):
        await answer.send(answer.openai_chunk({"content": "", "reasoning_content": thought}))
    await answer.say()
    return await answer.finish()


@ODD.spoken("think_inline")
async def _think_inline(answer: Answer) -> web.StreamResponse:
    """Thinks in a `<think>` block inside the words, cut in the middle of its tags."""
    answer.pieces = ["<th", "ink>Hm. The us", "er wants</thi", "nk>\n\n", *answer.pieces]
    return await answer.speak()


@ODD.spoken("think_empty")
async def _think_empty(answer: Answer) -> web.StreamResponse:
    """Begins with an empty `<think>` block, as models do whose thinking was switched off."""
    answer.pieces = ["<think>", "\n\n", "</think>", "\n\n", *answer.pieces]
    return await answer.speak()


@ODD.spoken("template_tokens")
async def _template_tokens(answer: Answer) -> web.StreamResponse:
    """Lets its chat template's end marks through: `<|im_end|>` and `</s>`."""
    answer.pieces = [*answer.pieces, "<|im", "_end|>", "</s>"]
    return await answer.speak()


@ODD.spoken("harmony")
async def _harmony(answer: Answer) -> web.StreamResponse:
    """Lets the channels of gpt-oss through: its analysis, then the answer."""
    thought = ["<|channel|>", "analysis", "<|message|>", "The user wants a test.", "<|end|>"]
    final = ["<|start|>", "assistant", "<|channel|>", "final", "<|message|>"]
    answer.pieces = [*thought, *final, *answer.pieces, "<|return|>"]
    return await answer.speak()


@ODD.spoken("function_marks")
async def _function_marks(answer: Answer) -> web.StreamResponse:
    """Writes a function call behind its words, after `[TOOL_CALLS]`."""
    answer.pieces = [*answer.pieces, "[TOOL", "_CALLS]", ' [{"name": "lookup"}]']
    return await answer.speak()


@ODD.spoken("function_text")
async def _function_text(answer: Answer) -> web.StreamResponse:
    """Writes a function call into its words, between `<tool_call>` tags."""
    call = '{"name": "lookup", "arguments": {"city": "Graz"}}'
    answer.pieces = [*answer.pieces, "<tool", "_call>", call, "</tool_call>"]
    return await answer.speak()


@ODD.spoken("tool_after_text")
async def _tool_after_text(answer: Answer) -> web.StreamResponse:
    """Speaks, and then calls a function it was never given."""
    await answer.open()
    await answer.say()
    function = {"name": "lookup", "arguments": "{}"}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    await answer.send(answer.openai_chunk({"tool_calls": [call]}))
    await answer.send(answer.openai_chunk({}, "tool_calls"))
    await answer.write("data: [DONE]\n\n")
    return await answer.finish(done=False)


# Time ----------------------------------------------------------------------------------------


@ODD.spoken("slow_first")
async def _slow_first(answer: Answer) -> web.StreamResponse:
    """Takes a second to its first word."""
    await answer.open()
    await asyncio.sleep(1.0)
    await answer.say()
    return await answer.finish()


@ODD.spoken("wait_text", says="One moment, please. {reply}")
async def _wait_text(answer: Answer) -> web.StreamResponse:
    """Says "One moment, please." at once, and the rest half a second later."""
    await answer.open()
    await answer.send(answer.chunk({"content": "One moment, please. "}))
    await asyncio.sleep(0.5)
    await answer.say()
    return await answer.finish()


@ODD.spoken("empty_once")
async def _empty_once(answer: Answer) -> web.StreamResponse:
    """Gives an empty answer the first time, and a good one when asked again."""
    if answer.attempt:
        return await answer.speak()
    await answer.open()
    return await answer.finish()


@ODD.spoken("different", says="Ahoy! I am a pirate and repeat nothing.")
async def _different(answer: Answer) -> web.StreamResponse:
    """Plays a pirate whatever it is asked, the smoke test too."""
    answer.pieces = ["Ahoy!", " I am a pirate", " and repeat nothing."]
    return await answer.speak()
