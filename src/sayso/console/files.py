"""Serves what the build laid into `static/`: packed, and kept by browsers for as long as it may."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
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


class BuiltFiles(StaticFiles):
    """Files of the build. A browser keeps those in `assets/`, and asks for the others anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path` below the folder; packed, if it is there so and the browser can."""
        response = await self._packed(path, scope) or await super().get_response(path, scope)
        response.headers.update(HASHED if "assets" in Path(path).parts else FRESH)
        return response

    async def _packed(self, path: str, scope: Scope) -> Response | None:
        if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return None
        try:
            response = await super().get_response(f"{path}.gz", scope)
        except HTTPException:
            return None
        response.headers["Vary"] = "Accept-Encoding"
        if response.status_code == 200:
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            text = "; charset=utf-8" if kind.startswith("text/") else ""
            response.headers.update({"Content-Encoding": "gzip", "Content-Type": kind + text})
        return response


def file_routes() -> list[BaseRoute]:
    """`/static`, and the few files that other websites know by their names."""
    files = BuiltFiles(directory=STATIC)

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
