"""The map in ARCHITECTURE.md is the disk, and its rules are the linter's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from documents import ROOT, blocks, section, table
from sayso.talk.state import Phase

SOURCE = ROOT / "src/sayso"


def listed() -> dict[str, str]:
    """Every path of the map, with what is said about it."""
    tree = next(b for b in blocks("text") if b.text.startswith("src/sayso/\n"))
    found, folder = {}, ""
    for row in tree.text.splitlines()[1:]:
        indent, name, what = re.match(r"( *)(\S+) *(.*)", row).groups()  # type: ignore[union-attr]
        if not indent:
            found[name] = what
        elif len(indent) == 2:
            folder = name if name.endswith("/") else ""
            found[f"src/sayso/{name}"] = what
        else:
            found[f"src/sayso/{folder}{name}"] = what
    return found


def on_disk() -> set[str]:
    """Every source file; a package's `__init__` speaks for its folder."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        if path.name != "__init__.py" or path.parent == SOURCE
    }


def test_the_map_is_the_disk() -> None:
    files = {name for name in listed() if name.endswith(".py")}
    assert files - on_disk() == set(), "the map in ARCHITECTURE.md names files that do not exist"
    assert on_disk() - files == set(), "add these files to the map in ARCHITECTURE.md"


def test_every_folder_is_on_the_map() -> None:
    folders = {name for name in listed() if name.endswith("/")}
    assert all((ROOT / name).is_dir() for name in folders)
    places = {f"src/sayso/{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    assert places <= folders


def contract(name: str) -> dict[str, list[str]]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return next(one for one in linter["contracts"] if one["name"].startswith(name))


def test_the_layers_are_the_linters() -> None:
    shown = re.search(
        r"(?s)```text\n(.*?)```", section("ARCHITECTURE.md", "## Who may import whom")
    )
    assert shown
    layers = [layer.replace(" | ", " · ") for layer in contract("Layers")["layers"]]
    assert shown[1].splitlines() == layers


def test_what_the_map_calls_pure_is_kept_pure() -> None:
    marked = {name for name, what in listed().items() if re.search(r"\bpure$", what)}
    kept = {
        f"src/{module.replace('.', '/')}.py" for module in contract("Pure files")["source_modules"]
    }
    assert marked == kept


def test_files_named_in_the_walk_exist() -> None:
    walk = section("ARCHITECTURE.md", "# Architecture").partition("## The map")[0]
    for name in re.findall(r"`([a-z_]+/[a-z_]+\.py|[a-z_]+\.py)`", walk):
        places = [SOURCE / name, *SOURCE.glob(f"*/{name}")]
        assert any(Path(place).exists() for place in places), name


def test_every_phase_is_described() -> None:
    assert [row[0].strip("`") for row in table("ARCHITECTURE.md", "## Who decides")] == list(Phase)
