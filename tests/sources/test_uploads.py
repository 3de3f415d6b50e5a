from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from sayso.errors import BadRequestError, RefusedError, TooLargeError
from sayso.sources.uploads import MAX_NAME_CHARS, MAX_PARTS, PIECE_BYTES, clean_name, receive

EDGE = "edge"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def part(data: bytes, disposition: str = 'form-data; name="file"; filename="a.txt"') -> bytes:
    head = f"--{EDGE}\r\nContent-Disposition: {disposition}\r\nContent-Type: x/y\r\n\r\n"
    return head.encode() + data + b"\r\n"


END = f"--{EDGE}--\r\n".encode()
FORM = f"multipart/form-data; boundary={EDGE}"


def request(
    body: bytes, kind: str | None = FORM, step: int = 1000, leaves: bool = False
) -> Request:
    """A request whose body comes in steps; the client leaves before its end."""

    async def messages() -> AsyncIterator[Message]:
        for at in range(0, len(body), step):
            yield {"type": "http.request", "body": body[at : at + step], "more_body": True}
        if leaves:
            yield {"type": "http.disconnect"}
        yield {"type": "http.request", "body": b"", "more_body": False}

    coming = messages()

    async def next_one() -> Message:
        return await anext(coming)

    headers = [] if kind is None else [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, next_one)


@pytest.mark.parametrize("step", [1, 7, 1000, 10_000_000])
async def test_a_file_is_written_as_it_is(tmp_path: Path, step: int) -> None:
    data = bytes(range(256)) * 20 + b"\r\n--edg" + b"\r\n--edge-no"
    body = part(b"ignored", 'form-data; name="other"') + part(data) + END
    upload = await receive(request(body, step=step), tmp_path / "x", max_bytes=10_000)
    assert (tmp_path / "x").read_bytes() == data
    assert (upload.name, upload.bytes) == ("a.txt", len(data))
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    assert upload.digest == hashlib.sha256(data).hexdigest()


async def test_a_large_file_is_never_in_memory_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sayso.sources import uploads

    most = 0
    take = uploads._Form.take

    def watch(form: uploads._Form) -> bytes:
        nonlocal most
        most = max(most, len(form.piece))
        return take(form)

    monkeypatch.setattr(uploads._Form, "take", watch)
    data = b"x" * (PIECE_BYTES * 5)
    await receive(request(part(data) + END, step=65_536), tmp_path / "x", max_bytes=len(data))
    assert (tmp_path / "x").stat().st_size == len(data)
    assert most <= PIECE_BYTES + 65_536


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"{}", "application/json", "not a form"),
        (b"{}", None, "not a form"),
        (b"{}", "multipart/form-data", "not a form"),
        (b"nonsense", FORM, "not valid multipart"),
        (END, FORM, "no file in the form's field"),
        (b"", FORM, "no file in the form's field"),
        (part(b"x", 'form-data; name="file"') + END, FORM, "no file in"),
        (part(b"x", 'form-data; filename="a.txt"') + END, FORM, "no file in"),
        (part(b"x") + part(b"y") + END, FORM, "several files"),
        (part(b"x", 'form-data; name="o"') * (MAX_PARTS + 1) + END, FORM, "more than 20 fields"),
        (part(b"x"), FORM, "cut off"),
        (part(b"x")[:-10], FORM, "(cut off|no file)"),
    ],
)
async def test_what_is_no_form_with_a_file_says_so(
    tmp_path: Path, body: bytes, kind: str | None, sentence: str
) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        await receive(request(body, kind), tmp_path / "x", max_bytes=100)


async def test_one_byte_too_many(tmp_path: Path) -> None:
    await receive(request(part(b"x" * 100) + END), tmp_path / "x", max_bytes=100)
    with pytest.raises(TooLargeError, match=r"a\.txt is larger than 100 bytes"):
        await receive(request(part(b"x" * 101) + END), tmp_path / "y", max_bytes=100)


async def test_a_client_that_leaves(tmp_path: Path) -> None:
    with pytest.raises(BadRequestError, match="broke off"):
        await receive(request(part(b"x" * 100), leaves=True), tmp_path / "x", max_bytes=1000)


@given(body=st.binary(max_size=400), tail=st.sampled_from([b"", END, part(b"x") + END]))
async def test_any_body_is_taken_or_refused(
    body: bytes, tail: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("upload") / "x"
    try:
        upload = await receive(request(body + tail), path, max_bytes=300)
    except RefusedError:
        return
    assert path.stat().st_size == upload.bytes <= 300


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("prices.pdf", "prices.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\prices.pdf", "prices.pdf"),
        ("a\0b\r\n.txt", "ab.txt"),
        ("fdp\u202e.txt", "fdp.txt"),
        ("", "file"),
        ("..", "file"),
        ("Preise für März.pdf", "Preise für März.pdf"),
        ("x" * 300 + ".pdf", "x" * (MAX_NAME_CHARS - 4) + ".pdf"),
        ("x" * 300, "x" * MAX_NAME_CHARS),
        ("x." + "y" * 300, "x." + "y" * (MAX_NAME_CHARS - 2)),
    ],
)
def test_names_are_cleaned(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept


@given(st.text(max_size=400))
def test_a_clean_name_is_a_name(sent: str) -> None:
    name = clean_name(sent)
    assert 0 < len(name) <= MAX_NAME_CHARS
    assert "/" not in name
    assert clean_name(name) == name
