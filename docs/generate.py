"""Writes the reference pages that are made from the code: settings, commands, REST, LLMs.

    python docs/generate.py            write them
    python docs/generate.py --check    only say which are out of date

`tests/docs` fails when a page is not what this program would write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from sayso.api import Services, build_api
from sayso.cli import app as command_line
from sayso.clock import SystemClock
from sayso.config import Settings
from sayso.llm.catalogue import CATALOGUE, Severity
from sayso.llm.fake import QUIRKS, Quirk
from sayso.sources.schema import State
from sayso.talk.phrases import PHRASES

REFERENCE = Path(__file__).parent / "reference"

MADE_FROM = (
    "<!-- Made from {source} by `python docs/generate.py`; edit the code, not this page. -->"
)
METHODS = ("get", "post", "patch", "put", "delete")


SETTINGS_INTRO = """\
Sayso is set up by environment variables. They are read once, when the server starts. A value out \
of its range stops the start with a message that names the variable.

Three more are read by commands that talk to a running server or to an LLM, not by the server: \
`SAYSO_URL`, `SAYSO_API_KEY` and `SAYSO_LLM_KEY` ([command line](cli.md#environment)).

With `SAYSO_TRACES_URL`, OpenTelemetry reads its own `OTEL_*` variables, too ([traces](traces.md)).

`sayso serve --host` and `--port` win over `SAYSO_HOST` and `SAYSO_PORT`. Maps are written as \
JSON: `SAYSO_STT_OPTIONS='{"url": "http://127.0.0.1:8000/v1"}'`."""

COMMANDS_INTRO = """\
In a checkout the command is `.venv/bin/sayso`. Every command takes `--help`. A failure is one \
sentence on standard error, with a hint, and the exit code is 1."""

ENVIRONMENT: Mapping[str, str] = {
    "SAYSO_URL": "`sayso talk`: the base URL of the server, such as `http://127.0.0.1:8400`. "
    "`--url` and the URL of a talk page win over it; without any of them it is `SAYSO_PUBLIC_URL`, "
    "or `SAYSO_HOST` and `SAYSO_PORT`.",
    "SAYSO_API_KEY": "`sayso talk`: your API key, for private agents. `--api-key` wins over it.",
    "SAYSO_LLM_KEY": "`sayso check-llm`: the LLM's key. `--api-key` wins over it.",
}
"""Variables read by commands; `tests/docs` compares them with the source."""

REST_INTRO = """\
All paths are below the server's URL. A running server shows the same at `/docs`, and as data at \
`/openapi.json`.

Send your key as `Authorization: Bearer <API key>`; the bare key is taken, too. `X-User-Id` may be \
left away; when it is sent, it must be the key's owner. A browser that is signed in \
sends its cookie instead, from this server's own pages only ([accounts](../guide/accounts.md)). \
Bodies are JSON, files come in forms. Unknown keys are ignored, and named in the `warnings` of an \
agent or a function; those of `timeouts` and `messagePlan` are refused. Errors are described in \
[errors](errors.md).

**+** marks what Sayso adds to PlayAI's API."""

PAGING = """\
Lists take `pageSize` (50 unless you say so, at most 500) and `startAfter` (the id of the last \
item you have; an unknown one means the start). Four headers of the response tell where you are: \
`X-Page-Size`, `X-Start-After`, `X-Next-Start-After` and `X-Total-Count`."""

PATCHING = """\
`PATCH` takes the same fields as `POST`, all optional. Only the keys sent change; null clears what \
may be empty; `llm: null` goes back to the built-in answers."""

FORMS = """\
Files come as `multipart/form-data`, one a request, with its name."""

STATES_INTRO = "How far a file or a page is."

STATES: Mapping[State, str] = {
    State.QUEUED: "It waits for its turn.",
    State.READING: "Its text is being read; `progress` counts pages.",
    State.EMBEDDING: "Its passages are being indexed; `progress` counts passages.",
    State.READY: "The agent knows it.",
    State.FAILED: "It could not be read; `code` and `reason` say why.",
}

HEALTH = """\
`GET /health/live` answers 200 while the process runs. `GET /health/ready` answers 200 while there \
is room for another conversation, and 503 when there is none. Neither asks for a key."""

FINDINGS_INTRO = """\
What can be wrong with an agent's LLM, by its stable code. You meet the codes in the answer to \
`POST` and `PATCH /api/v1/agents` (`details`, `llmIssues`), in the report of an agent's last check \
(`GET /api/v1/agents/{agentId}/llm-check`, `POST /api/v1/llm-checks`), in what `sayso check-llm` \
prints, and in the server's log. `{where}` stands for the call, such as `POST \
https://llm.example.com/v1/chat/completions`; a finding also quotes the first bytes of the LLM's \
answer, without keys."""


PHRASES_INTRO = """\
Some sentences are nobody's: what an agent says when its LLM fails, when the caller was not \
heard, when nobody speaks, when the time is up, and when a function takes a while. They come in \
the agent's `language`. An agent may have words of its own for most of them: \
`llm.failureMessage`, `messagePlan`, `endCallMessage`.

A voice of one language says them in its own instead, whatever the agent's `language`: the \
bundled voice is American, reads Spanish by English rules, and is silent where it meets Japanese. \
Voices of a [speech server](../guide/engines.md#a-speech-server) count as voices of any language: \
whether they have this one is up to the server. The same holds for what the LLM says, which is \
spoken as it comes: choose a voice for the `language`.

`{seconds}` stands for a number."""


FAKE_INTRO = """\
`sayso fake-llm` is a small OpenAI-compatible server for people and tests. It is not a language \
model: it repeats the last message, or says the lines of `--script` in turn. With `--tools` it \
calls the offered function whose name or description shares words with the caller's, fills its \
arguments from those words ("on Monday" gives `Monday`, "twenty five guests" gives `25`, "not on \
the terrace" gives `false`, of an enum it is what was said), and then says what it returned, or \
the beginning of it. It makes nothing up: an argument that nothing fits is left out, even a \
required one, and then it says what the function asks for. What the application tells \
(`customInput`, a transfer that failed) is repeated, and nothing is called for it. It ignores the \
key, and prints every request with keys masked.

`POST /chat/completions` streams in the dialect of the test LLM that PlayAI published; delays and \
jitter are [options](cli.md#sayso-fake-llm). A request of one message that contains "The smoke \
test has passed." is answered with that sentence."""

QUIRKS_INTRO = """\
One process serves every misbehaviour below, each seen in the wild. Pick one by model, \
`quirk:<name>`, or by base URL, `http://127.0.0.1:3000/quirk/<name>`. `tests/e2e/test_quirks.py` \
holds a conversation with each and finds what the last column says: no turn is silent.

Saving an agent refuses an LLM that cannot answer, so whoever wants to hear one fail keeps its \
quirk for later: `sayso fake-llm --quirk cut` passes every check, and breaks off in every \
conversation; with `--after 1` the first answer of each conversation is still a good one. It shows \
to whoever picks no quirk by model or URL.

- **Speaks the answer**: the words that were meant, no more and no fewer.
- **Apologises**: one sentence, and the [finding](llm-findings.md) for the client, the log and the \
turn; a fallback answers instead if the agent has one.
- **Breaks off**: speaks what came, then says that it lost its thread."""


# Settings ------------------------------------------------------------------------------------


def settings_page() -> str:
    """Every setting, in the order and under the headings of `config.py`."""
    config = Path(cast("str", sys.modules[Settings.__module__].__file__)).read_text("utf-8")
    lines = [
        "# Settings",
        MADE_FROM.format(source="src/sayso/config.py"),
        SETTINGS_INTRO,
    ]
    for title, names in _sections(config):
        rows = [_setting_row(name, Settings.model_fields[name]) for name in names]
        lines += [f"## {title}", _table(("Variable", "Takes", "Default", "What it is"), rows)]
    return _page(lines)


def _sections(config: str) -> list[tuple[str, list[str]]]:
    """The headings in the source, each with the settings below it."""
    sections: list[tuple[str, list[str]]] = []
    for line in config.splitlines():
        if heading := re.fullmatch(r"    # (.+?) -{5,}", line):
            sections.append((heading[1], []))
        elif (name := line.strip().partition(":")[0]) in Settings.model_fields:
            sections[-1][1].append(name)
    return sections


def _setting_row(name: str, field: FieldInfo) -> tuple[str, ...]:
    return (
        f"`SAYSO_{name.upper()}`",
        _takes(field),
        _default(field),
        field.description or "",
    )


def _takes(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if type(None) in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if choices := [f"`{choice}`" for choice in get_args(kind) if isinstance(choice, str)]:
        return ", ".join(choices)
    word = {int: "whole number", float: "number", bool: "`true`, `false`", Path: "path"}.get(kind)
    if word is None:
        word = "JSON map" if get_origin(kind) is dict else "text"
    return f"{word}{_range(field.metadata)}"


def _range(metadata: Sequence[Any]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(bound, key):g}"
        for bound in metadata
        for key, sign in signs.items()
        if hasattr(bound, key)
    ]
    return f" {' and '.join(bounds)}" if bounds else ""


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


# Commands ------------------------------------------------------------------------------------


def commands_page() -> str:
    """Every command with its arguments and options."""
    root: Any = typer.main.get_command(command_line)
    lines = [
        "# Command line",
        MADE_FROM.format(source="src/sayso/cli.py"),
        COMMANDS_INTRO,
        "## Environment",
        "The [settings](settings.md) hold for commands, too. These are read by commands only:",
        _table(("Variable", "What it is"), [(f"`{k}`", v) for k, v in ENVIRONMENT.items()]),
    ]
    for name, command in root.commands.items():
        lines += _command(f"sayso {name}", command)
    return _page(lines)


def _command(name: str, command: Any) -> list[str]:  # noqa: ANN401
    inner = getattr(command, "commands", {})
    if inner:
        lines = [f"## {name}", command.help]
        for sub, subcommand in inner.items():
            lines += [
                "#" + line if line[:3] == "## " else line
                for line in _command(f"{name} {sub}", subcommand)
            ]
        return lines
    arguments = "".join(f" {p.name.upper()}" for p in command.params if _is_argument(p))
    options = " [OPTIONS]" if any(not _is_argument(p) for p in command.params) else ""
    lines = [f"## {name}", f"`{name}{arguments}{options}`", command.help]
    if command.params:
        rows = [_parameter_row(parameter) for parameter in command.params]
        lines.append(_table(("Argument or option", "Default", "What it is"), rows))
    return lines


def _is_argument(parameter: Any) -> bool:  # noqa: ANN401
    return bool(parameter.param_type_name == "argument")


def _parameter_row(parameter: Any) -> tuple[str, ...]:  # noqa: ANN401
    name = parameter.name.upper() if _is_argument(parameter) else parameter.opts[0]
    default = "" if parameter.default in (None, False, "") else f"`{_plain(parameter.default)}`"
    variable = f" From `{parameter.envvar}` if not given." if parameter.envvar else ""
    return f"`{name}`", "required" if parameter.required else default, parameter.help + variable


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# REST ----------------------------------------------------------------------------------------


def rest_page() -> str:
    """Every endpoint and the fields of every body, from the OpenAPI document."""
    document = openapi()
    lines = [
        "# REST API",
        MADE_FROM.format(source="the OpenAPI document"),
        REST_INTRO,
        "## Endpoints",
        _table(("Method and path", "Success", "What it does"), _endpoint_rows(document)),
        "## Paging",
        PAGING,
        "## Health",
        HEALTH,
        "## What is sent",
        *_bodies(document, (
            "NewAgent", "OpenAiCompatible", "BaseParams", "LlmTimeouts", "LlmServer", "BuiltIn",
            "MessagePlan", "TransferDestination", "Knowledge", "McpServerBody", "NewMcpCheck",
            "NewCheck",
            "NewKnowledgeCheck", "NewFunction", "DynamicParameter", "EnumParameter",
            "ConstParameter", "Metadata", "NewTrial", "NewKnowledgePage", "NewTicket", "SignIn",
            "NewAccount", "AccountChanges", "NewKeyBody", "NewSearch", "NewPreview",
        )),
        PATCHING,
        *_forms(document),
        "## What is answered",
        *_bodies(
            document,
            ("AgentView", "LlmView", "FallbackView", "MessagePlanView",
             "TransferDestinationView", "KnowledgeView",
             "McpServerView", "LlmIssue", "FieldWarning", "LlmCheckView", "AgentCheckView",
             "LlmStageView", "LlmProfileView", "KnowledgeCheckView", "PassageView", "McpCheckView",
             "McpToolView", "McpFindingView", "AgentStats", "ConversationView", "LineView",
             "TurnView", "VoiceView", "FunctionView", "DynamicParameterView", "EnumParameterView",
             "ConstParameterView", "MetadataView", "DeletedFunction", "TrialView", "SentView",
             "CriticalKnowledgeFile", "KnowledgePage", "SourceStatus", "Progress", "MessageView",
             "PhoneNumber", "TicketView", "SessionView", "KeyView", "NewKeyView", "FoundPassage",
             "VersionView"),
        ),
        "### State",
        STATES_INTRO,
        _table(("State", "What it means"), [(f"`{name}`", STATES[name]) for name in State]),
    ]  # fmt: skip
    return _page(lines)


def openapi() -> dict[str, Any]:
    """The document a server serves; its routes are made, and never called."""
    nothing = cast("Any", None)
    made = {field.name: nothing for field in fields(Services)} | {"voices": ()}
    services = Services(**made)
    return build_api(services, Settings(), SystemClock()).openapi()


def _endpoint_rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                success = next(code for code in operation["responses"] if code.startswith("2"))
                mark = " **+**" if operation.get("x-sayso-extension") else ""
                note = " ".join(operation.get("description", "").split())
                what = f"{operation['summary']}. {note}".strip()
                rows.append((f"`{method.upper()} {path}`{mark}", success, what))
    return rows


def _bodies(document: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    lines = []
    for name in names:
        schema = document["components"]["schemas"][name]
        rows = [_field_row(field, entry) for field, entry in schema["properties"].items()]
        lines += [f"### {name}", _one_line(schema.get("description", ""))]
        lines.append(_table(("Field", "Value", "Notes"), rows))
    return lines


def _forms(document: Mapping[str, Any]) -> list[str]:
    """What is sent as a form: files."""
    rows = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            body = operations.get(method, {}).get("requestBody", {})
            form = body.get("content", {}).get("multipart/form-data", {}).get("schema", {})
            rows += [
                (f"`{method.upper()} {path}`", f"`{name}`", _form_value(entry))
                for name, entry in form.get("properties", {}).items()
            ]
    return ["### Forms", FORMS, _table(("Method and path", "Field", "Value"), rows)]


def _form_value(schema: Mapping[str, Any]) -> str:
    return "a file" if schema.get("format") == "binary" else _shape(schema)


def _field_row(field: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    mark = " **+**" if schema.get("x-sayso-extension") else ""
    parts = [schema, *schema.get("anyOf", ())]
    notes = next((part["description"] for part in parts if "description" in part), "")
    default = schema.get("default")
    shown = "" if default in (None, "", []) else f"; default `{json.dumps(default)}`"
    return f"`{field}`{mark}", _shape(schema) + shown, _one_line(notes)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shape(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        return cast("str", schema["$ref"]).rpartition("/")[2]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(_shape(part) for part in schema[union]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any JSON")
    if kind == "array":
        most = f"at most {schema['maxItems']}, each a " if "maxItems" in schema else ""
        return f"list of {most}{_shape(schema.get('items', {}))}"
    return f"{kind}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    if "maxLength" in schema:
        least = f"{schema['minLength']} to " if schema.get("minLength") else "at most "
        return f" of {least}{schema['maxLength']:,} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    return ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


# LLM findings --------------------------------------------------------------------------------

_SEVERITIES: Mapping[Severity, str] = {
    Severity.ERROR: "The agent cannot speak with this LLM. Saving it is refused with 400; in a "
    "conversation the caller hears an apology instead of an answer.",
    Severity.WARNING: "It works, and something is worth mending. Shown in the agent's `llmIssues`.",
    Severity.NOTE: "Worth knowing. Shown in the agent's `llmIssues`.",
}


def findings_page() -> str:
    """Every finding of the LLM check and of a conversation."""
    lines = [
        "# LLM findings",
        MADE_FROM.format(source="the catalogue in src/sayso/llm/findings.py"),
        FINDINGS_INTRO,
    ]
    for severity, meaning in _SEVERITIES.items():
        rows = [
            (
                f'<a id="{code}"></a>`{code}`',
                entry.sentence,
                entry.fix.replace("{{", "{").replace("}}", "}"),
            )
            for code, entry in CATALOGUE.items()
            if entry.severity is severity
        ]
        lines += [f"## {severity.value.capitalize()}s", meaning]
        lines.append(_table(("Code", "What it says", "What to do"), rows))
    return _page(lines)


# The fake LLM --------------------------------------------------------------------------------


def fake_page() -> str:
    """What the fake LLM does, and what becomes of each of its quirks."""
    rows = [(f"`{name}`", quirk.does, _ending(quirk)) for name, quirk in QUIRKS.items()]
    return _page(
        [
            "# The fake LLM",
            MADE_FROM.format(source="the quirks in src/sayso/llm/fake"),
            FAKE_INTRO,
            f"## {len(rows)} quirks",
            QUIRKS_INTRO,
            _table(("Quirk", "What the server does", "What Sayso does"), rows),
        ]
    )


def _ending(quirk: Quirk) -> str:
    if quirk.finding is None:
        said = "" if quirk.says == "{reply}" else f': "{quirk.says.format(reply="…")}"'
        return f"Speaks the answer{said}"
    return f"{'Breaks off' if quirk.partly else 'Apologises'}: `{quirk.finding}`"


# What agents say -----------------------------------------------------------------------------

_OCCASIONS: Mapping[str, str] = {
    "llm_failed": "the LLM gave nothing",
    "llm_broke_off": "the LLM broke off",
    "not_heard": "the speech could not be transcribed",
    "still_there": "nobody spoke for a while",
    "still_here": "nobody spoke for a while again",
    "nobody_there": "nobody answered that",
    "time_is_near": "the conversation will soon have taken its longest time",
    "time_is_up": "the conversation reached its longest time",
    "one_moment": "a function takes a while",
    "goodbye": "the LLM ends the call, and says no goodbye itself",
    "connecting": "the caller is handed on to somebody else",
}


def phrases_page() -> str:
    """The usual sentences in every language."""
    lines = [
        "# What an agent says by itself",
        MADE_FROM.format(source="src/sayso/talk/phrases.py"),
        PHRASES_INTRO,
    ]
    for language, usual in PHRASES.items():
        rows = [(when, getattr(usual, name)) for name, when in _OCCASIONS.items()]
        lines += [f"## {language.capitalize()}", _table(("When", "What the agent says"), rows)]
    return _page(lines)


# Writing -------------------------------------------------------------------------------------


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _page(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "cli.md": commands_page,
    "rest.md": rest_page,
    "llm-findings.md": findings_page,
    "fake-llm.md": fake_page,
    "phrases.md": phrases_page,
    "openapi.json": lambda: json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n",
}
"""The pages this program writes, by their name in docs/reference; the console is typed by one."""


def stale_pages() -> list[str]:
    """The names of pages that are not what they should be."""
    return [name for name, make in PAGES.items() if _read(REFERENCE / name) != make()]


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """Write what is out of date, or with `--check` only name it."""
    stale = stale_pages()
    for name in stale:
        if "--check" not in sys.argv:
            (REFERENCE / name).write_text(PAGES[name](), "utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
