"""Serves what the build laid into `static/`: packed, and kept by browsers for as long as it may."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"
WIDGET: Final = STATIC / "widget"

SNIFFLESS: Final = {"X-Content-Type-Options": "nosniff"}
FRESH: Final = SNIFFLESS | {"Cache-Control": "no-cache"}
"""A browser asks before it uses a copy: the file's name stays when the server is updated."""

HASHED: Final = SNIFFLESS | {"Cache-Control": "public, max-age=31536000, immutable"}
"""The name changes with the content."""

FOREIGN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Pages of other websites may load it, also isolated ones."""

SHORT: Final = FOREIGN | SNIFFLESS | {"Cache-Control": "public, max-age=300"}
"""An update reaches visitors within five minutes."""

FOREIGN_SCRIPTS: Final = {
    "/widget.js": ("widget.js", SHORT),
    "/embed.js": ("embed.js", SHORT),
    # Its two halves must agree: this one is asked for anew each time.
    "/widget/sound.js": ("sound.js", FRESH | FOREIGN),
}

OFFICIAL: Final = {
    "/silero_vad.onnx",
    "/ort/ort-wasm.wasm",
    "/ort/ort-wasm-simd.wasm",
    "/ort/ort-wasm-threaded.wasm",
    "/ort/ort-wasm-simd-threaded.wasm",
}
"""What PlayAI's browser client loads from its server: a detector, and what runs it."""

NOT_SHIPPED: Final = (
    "This server does not have the files that PlayAI's browser client detects speech with, because "
    "they are larger than the server. Its operator adds them with `npm run official` in widget/. "
    "<sayso-talk> does not need them.\n"
)


PACKED: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""How the build packs files, the smaller first, and how their names then end."""

MAX_KEPT_BYTES: Final = 1_000_000
"""Files up to this are kept in memory: all that a page needs, not the official client's models."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was when it was read."""

    content: bytes
    changed_ns: int
    etag: str


class BuiltFiles(StaticFiles):
    """Files of the build. A browser keeps those in `assets/`, and asks for the others anew.

    A page asks for half a dozen at once. They come from memory: reading each in a thread takes ten
    times as long as sending it.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._kept: dict[str, Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path` below the folder; packed, if it is there so and the browser can."""
        response = self._answer(path, scope) or await super().get_response(path, scope)
        response.headers.update(HASHED if "assets" in Path(path).parts else FRESH)
        return response

    def _answer(self, path: str, scope: Scope) -> Response | None:
        """From memory; None for what is too large for it, or not there at all."""
        asked = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"} or "range" in asked:
            return None
        accepted = asked.get("accept-encoding", "")
        for coding, ending in PACKED.items():
            if coding in accepted and (kept := self._read(f"{path}{ending}")):
                return _send(kept, path, asked, {"Content-Encoding": coding})
        kept = self._read(path)
        return _send(kept, path, asked, {}) if kept else None

    def _read(self, path: str) -> Kept | None:
        full, stat = self.lookup_path(path)
        if stat is None or not S_ISREG(stat.st_mode) or stat.st_size > MAX_KEPT_BYTES:
            return None
        kept = self._kept.get(full)
        if kept is None or kept.changed_ns != stat.st_mtime_ns:
            kept = self._kept[full] = _keep(full, stat)
        return kept


def _keep(full: str, stat: os.stat_result) -> Kept:
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    return Kept(Path(full).read_bytes(), stat.st_mtime_ns, etag)


def _send(kept: Kept, path: str, asked: Headers, coded: Mapping[str, str]) -> Response:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"ETag": kept.etag, "Vary": "Accept-Encoding", **coded}
    response = Response(kept.content, headers=headers, media_type=kind)
    if kept.etag in asked.get("if-none-match", ""):
        return NotModifiedResponse(response.headers)
    return response


def file_routes() -> list[BaseRoute]:
    """`/static`, and the few files that other websites know by their names."""
    files = BuiltFiles(STATIC)

    async def show_script(request: Request) -> Response:
        name, headers = FOREIGN_SCRIPTS[_path(request)]
        response = await files.get_response(f"widget/{name}", request.scope)
        response.headers.update(headers)
        return response

    async def show_official(request: Request) -> Response:
        try:
            response = await files.get_response(f"official{_path(request)}", request.scope)
        except HTTPException:
            return PlainTextResponse(NOT_SHIPPED, status_code=404, headers=SHORT)
        response.headers.update(SHORT)
        return response

    return [
        *(Route(path, show_script) for path in FOREIGN_SCRIPTS),
        *(Route(path, show_official) for path in sorted(OFFICIAL)),
        Mount("/static", files, name="static"),
    ]


def _path(request: Request) -> str:
    """The path of a request below the path that the server is mounted at."""
    return request.url.path.removeprefix(str(request.scope.get("root_path", "")))
