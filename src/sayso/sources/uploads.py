"""Takes one file out of a multipart request and writes it to disk while it arrives.

Neither the whole file nor a part of it larger than `PIECE_BYTES` is in memory, and the disk is
written in a thread: nobody's sound waits for somebody's upload.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from sayso.errors import BadRequestError, TooLargeError
from sayso.sizes import show_bytes

FIELD = "file"
PIECE_BYTES = 262_144
MAX_NAME_CHARS = 250
MAX_PARTS = 20
"""Fields of one form; the others are ignored."""
FORM_BYTES = 65_536
"""What a form may have beside its file, in bytes."""

_HINT = 'Send it as multipart/form-data: curl -F "file=@prices.pdf".'
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived at `path`."""

    name: str
    path: Path
    bytes: int
    digest: str


async def receive(request: Request, path: Path, *, max_bytes: int) -> Upload:
    """Write the form's field `file` to `path`, where half of it may be when that fails.

    Raises:
        BadRequestError: there is no such field, or no form, or the client left.
        TooLargeError: the file has more than `max_bytes`.
    """
    form = _Form(_boundary(request), max_bytes)
    file = await asyncio.to_thread(_create, path)
    try:
        await _copy(form, request.stream(), file)
    except ClientDisconnect as error:
        raise BadRequestError("the upload broke off") from error
    finally:
        await asyncio.to_thread(file.close)
    return Upload(form.name(), path, form.bytes, form.digest.hexdigest())


def _create(path: Path) -> BinaryIO:
    """A new file that only its owner may read, as the database and the key are."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


async def _copy(form: _Form, chunks: AsyncIterator[bytes], file: BinaryIO) -> None:
    async for chunk in chunks:
        form.feed(chunk)
        if len(form.piece) >= PIECE_BYTES:
            await asyncio.to_thread(file.write, form.take())
    form.finish()
    await asyncio.to_thread(_end, file, form.take())


def _end(file: BinaryIO, rest: bytes) -> None:
    file.write(rest)
    file.flush()


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequestError("the body is not a form with a file", field=FIELD, hint=_HINT)
    return boundary


class _Form:
    """A form as it arrives: the bytes of its file since the last look are `piece`."""

    def __init__(self, boundary: bytes, max_bytes: int) -> None:
        self.piece = bytearray()
        self.bytes = 0
        self.digest = hashlib.sha256()
        self._max_bytes = max_bytes
        self._parts = 0
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._is_file = False
        self._ended = False
        self._name: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._look,
                "on_part_data": self._take,
                "on_end": self._end,
            },
            max_size=max_bytes + FORM_BYTES + PIECE_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body. Raises BadRequestError, TooLargeError."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise BadRequestError(
                "the body is not valid multipart/form-data", hint=_HINT
            ) from error

    def finish(self) -> None:
        """There is no more. Raises BadRequestError."""
        if self._name is None:
            raise BadRequestError(
                f"there is no file in the form's field `{FIELD}`", field=FIELD, hint=_HINT
            )
        if not self._ended:
            raise BadRequestError("the upload is cut off", field=FIELD, hint="Send it again.")

    def take(self) -> bytes:
        """The file's bytes since the last call."""
        piece = bytes(self.piece)
        self.piece.clear()
        return piece

    def name(self) -> str:
        """What the client calls the file."""
        return self._name or ""

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadRequestError(f"the form has more than {MAX_PARTS} fields")
        self._disposition, self._is_file = b"", False

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _look(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD.encode() or b"filename" not in options:
            return
        if self._name is not None:
            raise BadRequestError("there are several files in the form", field=FIELD)
        self._is_file = True
        self._name = clean_name(options[b"filename"].decode("utf-8", "replace"))

    def _take(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            return
        self.bytes += end - start
        if self.bytes > self._max_bytes:
            raise TooLargeError(
                f"{self._name} is larger than {show_bytes(self._max_bytes)}, the most it may have",
                field=FIELD,
                hint="Split it, or ask the operator to raise SAYSO_MAX_DOCUMENT_BYTES.",
            )
        self.piece += data[start:end]
        self.digest.update(memoryview(data)[start:end])

    def _end(self) -> None:
        self._ended = True


def clean_name(name: str) -> str:
    """A file's name without folders and without what cannot be seen; `file` if nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    clean = _CONTROLS.sub("", last).strip()
    if len(clean) > MAX_NAME_CHARS:
        stem, dot, end = clean.rpartition(".")
        keep = dot + end if 0 < len(end) <= 10 and stem else ""
        clean = clean[: MAX_NAME_CHARS - len(keep)] + keep
    return clean if clean.strip(".") else "file"
