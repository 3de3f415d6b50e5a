"""Writes NOTICE: whose work Sayso carries and depends on, generated from the manifest."""

from __future__ import annotations

from textwrap import fill

from sayso.models import read_manifest

WIDTH = 96
HEAD = """\
Sayso
Copyright 2026 The Sayso authors

Licensed under the Apache License, Version 2.0; its text is in LICENSE, and it is also the text
meant below wherever a part is under Apache-2.0. The texts of the other licences lie beside the
model files, in the folder `licences`.

This file is generated from src/sayso/models/manifest.toml by `python -m sayso.models --notice`.
"""


def write_notice() -> str:
    """The whole text of NOTICE."""
    files, libraries = read_manifest()
    carried = [file.source for file in files if not file.installed]
    installed = [file.source for file in files if file.installed]
    parts = [HEAD, "Model files, laid into the package when it is built\n"]
    parts.extend(map(_part, dict.fromkeys(carried)))
    parts.append("Model files inside a dependency, used where they are\n")
    parts.extend(map(_part, dict.fromkeys(installed)))
    parts.append("Libraries that Sayso depends on and whose licence asks for a notice\n")
    parts.extend(_entry(lib.name, lib.licence, lib.notice) for lib in libraries)
    return "\n".join(parts)


def _part(source: str) -> str:
    files = [file for file in read_manifest()[0] if file.source == source]
    names = ", ".join(file.name for file in files)
    first = files[0]
    return _entry(source, first.licence, f"{first.notice} Files: {names} ({first.used_for}).")


def _entry(name: str, licence: str, notice: str) -> str:
    body = fill(
        notice,
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return f"  {name} ({licence})\n{body}\n"
