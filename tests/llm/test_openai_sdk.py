"""Our client and OpenAI's own agree on every valid stream.

The official client is the measure where a stream follows the rules. Where a server breaks them it
stops or says too much; those quirks are listed below with what it does, so that it is seen when
that changes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import QUIRKS
from sayso.llm.fake.framed import FRAMED
from sayso.llm.fake.odd import ODD
from sayso.llm.findings import Scene
from sayso.llm.reader import ReplyReader

WORDS = "Certainly. It will rain until noon."
BROKEN: Mapping[str, str] = {
    "bad_json": "raises on what is not JSON",
    "comments": "raises on an event of `retry:` alone (openai/openai-python#2721)",
    "completion_text": "reads only deltas",
    "cumulative": "repeats the answer",
    "empty_once": "gives the empty answer",
    "function_marks": "says the call",
    "function_text": "says the call",
    "harmony": "says the channels",
    "json": "finds no event",
    "json_lines": "finds no event",
    "messages": "reads only deltas",
    "one_newline": "finds no end of the first event",
    "parts": "gives the parts",
    "refusal": "has the words elsewhere",
    "template_tokens": "says the marks",
    "think_empty": "says the tags",
    "think_inline": "says the thoughts",
}
"""Quirks that break the rules, and what the official client does then."""
VALID = sorted({*FRAMED, *ODD} - set(BROKEN))


async def ask_ours(base_url: str) -> str:
    client = LlmClient(Deadlines())
    await client.open()
    try:
        llm = client.bind(Endpoint(base_url, model="m"))
        return "".join([str(piece) async for piece in llm.reply([Message("user", WORDS)])])
    finally:
        await client.close()


async def ask_theirs(base_url: str) -> str:
    async with (
        openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=0) as client,
        asyncio.timeout(10),
    ):
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": WORDS}], stream=True
        )
        return _join([_words(chunk) async for chunk in stream])


def _words(chunk: openai.types.chat.ChatCompletionChunk) -> str:
    return "".join(
        choice.delta.content or ""
        for choice in chunk.choices or ()
        if choice.index == 0 and choice.delta is not None
    )


def _join(pieces: list[str]) -> str:
    """Pieces as one text; halves of an emoji find each other."""
    return "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le")


@pytest.mark.parametrize("name", VALID)
async def test_both_read_the_same_from_a_server(fake: str, name: str) -> None:
    url = f"{fake}/quirk/{name}"
    theirs = await ask_theirs(url)
    assert theirs == QUIRKS[name].says.format(reply=WORDS)
    assert await ask_ours(url) == theirs


async def test_there_are_many_valid_streams() -> None:
    assert len(VALID) >= 25
    assert set(BROKEN) < {*FRAMED, *ODD}


@pytest.mark.parametrize("name", BROKEN)
async def test_where_theirs_gives_up_ours_still_speaks(fake: str, name: str) -> None:
    url = f"{fake}/quirk/{name}"
    meant = QUIRKS[name].says.format(reply=WORDS)
    try:
        theirs = await ask_theirs(url)
    except (openai.OpenAIError, ValueError, TypeError):
        theirs = ""
    assert theirs != meant, f"the official client reads {name} now: move it to the valid ones"
    assert await ask_ours(url) == meant


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("400", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("403", openai.PermissionDeniedError),
        ("404", openai.NotFoundError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("error_object", openai.APIError),
    ],
)
async def test_both_fail_where_the_server_says_so(
    fake: str, name: str, kind: type[openai.APIError]
) -> None:
    with pytest.raises(kind):
        await ask_theirs(f"{fake}/quirk/{name}")
    with pytest.raises(Exception, match="chat/completions") as ours:
        await ask_ours(f"{fake}/quirk/{name}")
    assert getattr(ours.value, "finding", None) == QUIRKS[name].finding


# Streams nobody thought of -------------------------------------------------------------------


class _Body(httpx2.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def read_theirs(pieces: list[bytes]) -> str:
    def answer(_: httpx2.Request) -> httpx2.Response:
        headers = {"Content-Type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=_Body(pieces))

    with openai.OpenAI(
        base_url="http://fake",
        api_key="x",
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    ) as client:
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        return "".join(_words(chunk) for chunk in stream)


def read_ours(pieces: list[bytes]) -> str:
    reader = ReplyReader(Scene("http://fake"))
    return "".join([*(reader.feed(piece) for piece in pieces), reader.finish()])


letters = st.text(st.characters(exclude_characters="<[|`{", codec="utf-8"), max_size=6)
ends = st.sampled_from(("\n", "\r\n"))
noise = st.sampled_from(("", ": ping", "id: 7", "event: chunk", ":"))


@st.composite
def valid_streams(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """The words of a valid stream, and its bytes, cut anywhere."""
    words = [f"{n} {text}" for n, text in enumerate(draw(st.lists(letters, min_size=1)))]
    end, ascii_only = draw(ends), draw(st.booleans())
    lines = []
    for word in words:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        body = json.dumps({"id": "x", "choices": [choice]}, ensure_ascii=ascii_only)
        before = draw(noise)
        space = draw(st.sampled_from(("", " ")))
        lines += [f"{before}{end}" if before else "", f"data:{space}{body}{end}{end}"]
    stream = "".join([*lines, f"data: [DONE]{end}{end}"]).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    places = [0, *cuts, len(stream)]
    return "".join(words), [stream[a:b] for a, b in itertools.pairwise(places)]


@given(valid_streams())
def test_both_read_the_same_from_any_valid_stream(made: tuple[str, list[bytes]]) -> None:
    meant, pieces = made
    assert read_theirs(pieces) == meant
    assert read_ours(pieces) == meant
