"""The command line: serve · talk · check-llm · fake-llm · link · keys.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso import __version__
from sayso.errors import SaysoError
from sayso.spelling import nearest

if TYPE_CHECKING:
    from sayso.accounts.service import Accounts
    from sayso.config import Settings

MAX_WAIT_S = 3600.0
"""Longest wait for an LLM server that is starting, in seconds."""

app = typer.Typer(
    name="sayso",
    help="An open, self-hosted home for voice agents that speak with your LLM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="Make, list and revoke the owner's API keys.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sayso {__version__}")
        raise typer.Exit


@app.callback()
def sayso(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """An open, self-hosted home for voice agents that speak with your LLM."""


def main() -> None:
    """Run a command; an error we know is one sentence and a hint, not a traceback."""
    try:
        app()
    except SaysoError as error:
        typer.secho(f"sayso: {error.message}", fg="red", err=True)
        if error.hint:
            typer.echo(f"       {error.hint}", err=True)
        sys.exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any.")] = None,
) -> None:
    """Start the server, and print who you are and whom to talk to."""
    from sayso.serve import run_server  # noqa: PLC0415

    run_server(_settings(host=host, port=port))


@app.command()
def talk(
    agent: Annotated[str, typer.Argument(help="An agent's id, or the URL of its talk page.")],
    question: Annotated[
        Path | None, typer.Option("--in", help="A sound file to speak; any format.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Type this instead.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the spoken answer here, as WAV.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Base URL of the server. If not given: that of the talk page's URL, else from "
            "`SAYSO_URL`, else from the settings of a server on this machine."
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="Your API key, for private agents.", envvar="SAYSO_API_KEY"),
    ] = None,
    caller_id: Annotated[str | None, typer.Option(help="Who calls, as the LLM is told.")] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(help="A value for `{{name}}`, as `name=value`; repeatable."),
    ] = None,
) -> None:
    """Talk to an agent: from a sound file, in writing, or through the microphone.

    The exit code is 3 when a turn failed: standard error says which problem the LLM or a speech
    engine had, and what was heard is the agent's sentence for that.
    """
    from sayso.telephone import Call, place_call  # noqa: PLC0415

    base_url, agent_id = _locate(agent, url)
    variables = _read_pairs(variable or [], "=", "name=value", "--variable")
    call = Call(base_url, agent_id, api_key, question, text, out, caller_id, variables)
    sys.exit(asyncio.run(place_call(call)))


@app.command("check-llm")
def check_llm(  # noqa: PLR0913, PLR0917 - each is an option
    base_url: Annotated[str, typer.Argument(help="The LLM's base URL, as in an agent's `llm`.")],
    api_key: Annotated[
        str | None, typer.Option(help="Its API key.", envvar="SAYSO_LLM_KEY")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model to ask for.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="A header to send, as `Name=value`; repeatable.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The longest answer, in tokens.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also try tools, long prompts, two callers, hang-ups.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            help="Seconds to wait for a server that is starting: it refuses connections, or "
            "answers 503 while it loads its model.",
            min=0.0,
            max=MAX_WAIT_S,
        ),
    ] = 0.0,
) -> None:
    """Check an OpenAI-compatible server as saving an agent would.

    The exit code is 0 only when conversations will work.
    """
    from pydantic import SecretStr  # noqa: PLC0415

    from sayso.llm import Endpoint  # noqa: PLC0415
    from sayso.llm.report import check_once, print_report  # noqa: PLC0415

    key = SecretStr(api_key) if api_key else None
    endpoint = Endpoint(
        base_url, key, model, temperature, max_tokens, headers=_read_headers(header or [])
    )
    report = asyncio.run(check_once(endpoint, _settings(), deep=deep, wait_s=wait))
    print_report(report, as_json=as_json)
    sys.exit(0 if report.ok else 1)


@app.command("fake-llm")
def fake_llm(  # noqa: PLR0913, PLR0917 - each is an option
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    script: Annotated[
        Path | None,
        typer.Option(
            help="Replies given in turn: a JSON list, or one a line.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    tools: Annotated[
        bool, typer.Option("--tools", help="Call the offered function that the words mean.")
    ] = False,
    prefix: Annotated[
        str, typer.Option(help="Path in front of /chat/completions, such as /v1.")
    ] = "",
    first_token_ms: Annotated[float, typer.Option(help="Delay of the first piece.")] = 100.0,
    token_ms: Annotated[float, typer.Option(help="Delay between pieces.")] = 20.0,
    jitter_ms: Annotated[float, typer.Option(help="Random extra delay of each piece.")] = 0.0,
    quirk: Annotated[
        str,
        typer.Option(
            help="Misbehave in conversations, and pass the check all the same: a name from "
            "docs/reference/fake-llm.md."
        ),
    ] = "",
    after: Annotated[
        int,
        typer.Option(help="Answers of each conversation that are plain before the quirk.", min=0),
    ] = 0,
    not_found_elsewhere: Annotated[
        bool, typer.Option(help="Answer 404, not 200 with HTML, on every other path.")
    ] = False,
) -> None:
    """Run a small OpenAI-compatible server for trying things out. It is not a language model.

    The model `quirk:<name>`, or `/quirk/<name>` behind the base URL, picks one of its quirks;
    docs/reference/fake-llm.md lists them. Saving an agent finds the worst of them out: to hear
    those, `--quirk` keeps them for conversations.
    """
    from sayso.llm.fake import QUIRKS, FakeConfig, read_script, run_fake  # noqa: PLC0415

    if quirk and quirk not in QUIRKS:
        meant = nearest(quirk, QUIRKS)
        raise typer.BadParameter(
            f"there is no quirk {quirk!r}{f'; {meant} is one' if meant else ''}; "
            "docs/reference/fake-llm.md lists them",
            param_hint="--quirk",
        )
    config = FakeConfig(
        mode="tools" if tools else "scripted" if script else "echo",
        script=read_script(script.read_text("utf-8")) if script else (),
        first_token_s=first_token_ms / 1000,
        token_s=token_ms / 1000,
        jitter_s=jitter_ms / 1000,
        elsewhere="not_found" if not_found_elsewhere else "html",
        prefix=prefix,
        quirk=quirk,
        after=after,
        listen=lambda received: typer.echo(received.describe()),
    )
    run_fake(config, host, port)


@app.command()
def link(
    email: Annotated[
        str | None, typer.Option(help="Whose account; the owner's if not given.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Base URL of the server.", envvar="SAYSO_URL"),
    ] = None,
) -> None:
    """Print a link that signs in to the console once, for a while, with or without a password."""

    async def make(accounts: Accounts) -> None:
        from sayso.serve import sign_in_url  # noqa: PLC0415

        user_id = await (accounts.people.id_of(email) if email else accounts.owner_id())
        token = await accounts.sessions.new_link(user_id)
        typer.echo(sign_in_url((url or accounts.rules.url).rstrip("/"), token))

    _with_accounts(make)


@keys_app.command("list")
def list_keys() -> None:
    """Show the owner's keys by their last four characters."""

    async def show(accounts: Accounts) -> None:
        for key in await accounts.keys(await accounts.owner_id()):
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
            used = f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
            typer.echo(f"{key.id}  …{key.tail}  {state}  {used}  {key.name}")

    _with_accounts(show)


@keys_app.command("new")
def new_key(
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
) -> None:
    """Make a key, and show it once."""

    async def make(accounts: Accounts) -> None:
        key = await accounts.new_key(await accounts.owner_id(), name)
        typer.echo(f"{key.api_key.get_secret_value()}   (shown only now; id {key.id})")

    _with_accounts(make)


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="An id from `keys list`.")]) -> None:
    """Make a key worthless at once."""

    async def revoke(accounts: Accounts) -> None:
        await accounts.revoke_key(await accounts.owner_id(), key_id)
        typer.echo(f"revoked {key_id}")

    _with_accounts(revoke)


def _settings(**changes: object) -> Settings:
    from sayso.config import read_settings  # noqa: PLC0415

    return read_settings({name: value for name, value in changes.items() if value is not None})


def _read_headers(given: list[str]) -> dict[str, str]:
    """Headers from `Name=value` or `Name: value`."""
    return _read_pairs(given, "[:=]", "Name=value", "--header")


def _read_pairs(given: list[str], mark: str, shape: str, option: str) -> dict[str, str]:
    """Names and values with `mark` between them."""
    pairs = {}
    for text in given:
        name, *rest = re.split(mark, text, maxsplit=1)
        if not name.strip() or not rest:
            raise typer.BadParameter(f"write {shape}", param_hint=option)
        pairs[name.strip()] = rest[0].strip()
    return pairs


def _locate(agent: str, url: str | None) -> tuple[str, str]:
    """The server's base URL and the agent's id, from an id or the URL of a talk page."""
    base, mark, agent_id = agent.rpartition("/agent/")
    if mark and base.startswith("http"):
        return url or base, agent_id.strip("/")
    return url or os.environ.get("SAYSO_URL") or _settings().url, agent


def _with_accounts(act: Callable[[Accounts], Awaitable[None]]) -> None:
    from sayso.serve import with_accounts  # noqa: PLC0415

    asyncio.run(with_accounts(_settings(), act))
