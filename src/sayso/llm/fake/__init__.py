"""A small OpenAI-compatible server to try agents with, and to test ours against: `sayso fake-llm`.

It behaves as PlayAI's published fake LLM does, whose users must find everything as it was:

- `POST /chat/completions` streams, whatever `stream` says, and ignores the key;
- a request with exactly one message that contains `The smoke test has passed.` (with that capital
  letter) is answered with that sentence; everything else is echoed, or answered by a script;
- chunks spell `finishReason` in camel case and carry no role; text is cut before non-letters;
- every other path and method answers 200 with a web page (or 404, if asked for).

Beyond that, the model name `quirk:<name>`, or the path `/quirk/<name>/chat/completions`, picks one
of the misbehaviours seen in the wild; `QUIRKS` lists them with what Sayso makes of each. With
`FakeConfig.quirk` it passes a check first, and misbehaves in conversations.
"""

from sayso.llm.fake.answer import (
    SMOKE_SENTENCE,
    FakeConfig,
    Received,
    choose_reply,
    cut_pieces,
    read_script,
)
from sayso.llm.fake.functions import FunctionCall, Rule
from sayso.llm.fake.quirks import QUIRKS, Quirk
from sayso.llm.fake.server import create_fake_app, run_fake, running_fake
from sayso.llm.fake.site import running_app

__all__ = [
    "QUIRKS",
    "SMOKE_SENTENCE",
    "FakeConfig",
    "FunctionCall",
    "Quirk",
    "Received",
    "Rule",
    "choose_reply",
    "create_fake_app",
    "cut_pieces",
    "read_script",
    "run_fake",
    "running_app",
    "running_fake",
]
