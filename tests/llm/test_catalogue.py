"""Every finding there is: a sentence, what to do, and a place in the check."""

from __future__ import annotations

import string

import pytest

from sayso.llm.catalogue import CATALOGUE
from sayso.llm.findings import Scene

SCENE = Scene("https://llm.example.com/v1/chat/completions?key=sk-12345678", ("sk-12345678",))

FACTS: dict[str, object] = {
    "url": "ftp://x",
    "reason": "a reason",
    "name": "x-y",
    "host": "llm.example.com",
    "port": 443,
    "limit_s": 5.0,
    "problem": "no key was sent",
    "advice": "it is not set",
    "allowed_s": 30.0,
    "setting": "llm.timeouts.firstTokenMs",
    "status": 404,
    "location": "https://elsewhere",
    "model": "gpt",
    "first_token_s": 2.5,
    "names": "temperature",
    "refused": "max_tokens",
    "taken": "max_completion_tokens",
    "chars": 12_000,
    "waited_s": 1.5,
}


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_line_of_the_catalogue_makes_a_sentence(code: str) -> None:
    finding = SCENE.find(code, "", **FACTS)
    assert finding.code == code
    assert finding.message.endswith(".")
    assert finding.fix.endswith(".")
    assert "{reason" not in finding.message + finding.fix
    assert len(finding.message) < 300


def test_the_catalogue_asks_only_for_known_facts() -> None:
    for entry in CATALOGUE.values():
        for template in (entry.sentence, entry.fix):
            names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            assert names <= {"where", *FACTS}
