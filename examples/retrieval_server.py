"""A retrieval server of your own, the smallest there can be: it finds lines of a text file.

    python examples/retrieval_server.py notes.txt --port 8900 --key rk-secret

Python alone, no packages. Replace `find` by your search; the rest is the contract, which
docs/guide/own-retrieval.md explains.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LITTLE = frozenset(
    "a about an and are at can do does for have how i in is it know me my of on or tell the there "
    "this to us we what when where which who with you your".split()
)
"""Words that every question has."""


def find(lines: Sequence[str], asked: str, limit: int) -> list[tuple[str, float]]:
    """The lines that share most words with what was asked, and how well each fits (0 to 1).

    "What do you know?", which Sayso asks when an agent is saved, is about nothing in particular:
    the first lines say what there is.
    """
    words = set(re.findall(r"\w+", asked.lower())) - LITTLE
    if not words:
        return [(line, 0.0) for line in lines[:limit]]
    fits = [
        (line, len(words & set(re.findall(r"\w+", line.lower()))) / len(words)) for line in lines
    ]
    return sorted((fit for fit in fits if fit[1] > 0), key=lambda fit: -fit[1])[:limit]


class Handler(BaseHTTPRequestHandler):
    """Answers `POST /retrieval`; `lines`, `name` and `key` are set below."""

    lines: Sequence[str] = ()
    name = ""
    key = ""

    def do_POST(self) -> None:
        """One question."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/retrieval":
            self.answer(404, {"error_msg": "there is POST /retrieval only"})
        elif self.key and self.headers.get("Authorization") != f"Bearer {self.key}":
            self.answer(403, {"error_msg": "wrong key"})
        else:
            asked = json.loads(body)
            found = find(self.lines, asked["query"], asked["retrieval_setting"]["top_k"])
            records = [
                {"content": line, "score": score, "title": self.name, "metadata": {}}
                for line, score in found
            ]
            self.answer(200, {"records": records})

    def answer(self, status: int, document: object) -> None:
        """Send JSON."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Say nothing: questions are callers' words."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="a retrieval server for a text file")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--key", default="")
    args = parser.parse_args()
    Handler.lines = [line for line in args.file.read_text("utf-8").splitlines() if line.strip()]
    Handler.name, Handler.key = args.file.name, args.key
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
