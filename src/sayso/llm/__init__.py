"""Language models: whatever answers `POST {base_url}/chat/completions`, or the built-in mind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from pydantic import SecretStr

from sayso.errors import LlmError


class Tell(StrEnum):
    """How an LLM is told which conversation it answers in."""

    OFF = "off"
    HEADERS = "headers"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long an agent waits for its LLM, in seconds; None leaves it to the operator."""

    connect_s: float | None = None
    first_token_s: float | None = None
    between_tokens_s: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible server, as an agent's `llm` field names it (contract §3.1).

    Values of `headers` and `query` may hold `{{variables}}`; `variables` are their values where no
    conversation gives any: in a check, and when a resting endpoint is asked whether it is well.
    """

    base_url: str = field(repr=False)  # people paste keys into its query
    api_key: SecretStr | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: Timeouts = Timeouts()
    tell: Tell = Tell.OFF
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """Which conversation an LLM answers in, as far as it is told (`Endpoint.tell`).

    Attributes:
        conversation_id: stable for one conversation, also when it is continued later.
        agent_id: the agent that speaks.
        caller_id: who calls, as the client says; "" where it does not.
        agent_name: what the agent is called.
        variables: what the client and the agent's owner gave names to; the client's first.
    """

    conversation_id: str = "check"
    agent_id: str = "check"
    caller_id: str = ""
    agent_name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """All that `{{name}}` may stand for; nobody's variable replaces the system's own."""
        system = {
            "conversationId": self.conversation_id,
            "agentId": self.agent_id,
            "callerId": self.caller_id,
            "agentName": self.agent_name,
        }
        given = {name: value for name, value in self.variables.items() if name not in system}
        return given | {name: value for name, value in system.items() if value}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of an agent's knowledge that an answer may stand on, and where it is from.

    `score` is how well it fits what was asked, from 0 to 1; `measured` says that it is this
    server's own measure: what another server's scores mean, only its owner knows.
    """

    text: str
    source: str
    page: int | None = None
    title: str = ""
    url: str = ""
    score: float = 0.0
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function an LLM may call.

    Attributes:
        name: what it is called; letters, digits, `_` and `-` (OpenAI takes no others).
        description: what it does, and when to call it; the LLM decides by this.
        parameters: a JSON schema of type `object`.
        confirm: the caller must have agreed before it is carried out.
        safe: it changes nothing, so it may be given up half-way.
        secret: names of arguments that no record shows.
        filler: said while a call takes long; "" for the agent's own.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    confirm: bool = False
    safe: bool = False
    secret: tuple[str, ...] = ()
    filler: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """An LLM wants a function carried out.

    Attributes:
        id: what the LLM calls this call; "" where it gave it no name.
        name: the function.
        arguments: JSON text as the LLM wrote it, which may be damaged (`llm/arguments.py`).
        extra: what its server wants back with it in the next request, such as Gemini's signatures.
    """

    id: str
    name: str
    arguments: str = field(default="{}", repr=False)  # it may hold what callers said
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a prompt.

    Attributes:
        role: whose it is; `tool` for what a function returned.
        content: its text.
        calls: of the assistant's, the functions it asked for.
        call_id: of a tool's, the id of the call it answers.
        excerpts: what was found for a caller's words; data, never instructions.
        search: whether anything was looked for; "failed" if that gave nothing in time.
        unfounded: for all that can be told, the agent knows nothing about it, and may not guess.
        unweighed: it could not be told in time whether the agent knows it; it may not guess.
        missing: what of it nothing known mentions: "mountain bikes".
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    excerpts: tuple[Excerpt, ...] = ()
    search: Literal["none", "done", "failed"] = "none"
    unfounded: bool = False
    unweighed: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One request to an LLM and what came of it, for the records of the agent's owner.

    Attributes:
        llm: the URL that was called, as it may be shown; `built-in` for what its owner has not set.
        model: which one was asked for.
        request: the body as it was sent, JSON.
        response: the text as it came, thoughts and all; of a refusal, its body.
        calls: the functions it called.
        outcome: `answered` (to the end), `stopped` (from here) or `failed`.
        finding: why it failed; "" where it did not.
        status: HTTP's, if an answer came.
        first_token_ms: from sending to the first word or call, in milliseconds.
        total_ms: from sending to the end, in milliseconds.
        secrets: what no record may quote.
        hidden: names of functions, with their arguments that no record may show.
    """

    llm: str
    model: str
    request: bytes = field(repr=False)
    response: str = field(repr=False)
    calls: tuple[ToolCall, ...]
    outcome: Literal["answered", "stopped", "failed"]
    finding: str
    status: int | None
    first_token_ms: float | None
    total_ms: float
    secrets: tuple[str, ...] = field(default=(), repr=False)
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Piece: TypeAlias = str | ToolCall
"""Of an answer: text to speak, or a call, whole. Calls come only where tools were offered."""


Mishap: TypeAlias = Callable[[LlmError], None]
"""Is told a failure that another try or another LLM may make up for; the record keeps it."""


def ignore(_: LlmError) -> None:
    """Tell nobody of a mishap."""


Spare: TypeAlias = Callable[[], float]
"""How long the listener can do without more words at this moment, in seconds."""


def no_spare() -> float:
    """Each word is wanted at once."""
    return 0.0


Note: TypeAlias = Callable[[str, str], None]
"""Is told a fact about a reply by its name: who speaks it (`llm`), who rests (`llm_resting`)."""


def forget(_name: str, _fact: str) -> None:
    """Keep no facts."""


class Llm(Protocol):
    """Whatever answers for one agent."""

    def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        """Answer `messages` as text pieces, first ones first. Raises LlmError.

        A failure that was recovered from is told to `mishap`. While there is `spare` time, pieces
        may be gathered. Calls of `tools` come behind the text, whole and in order; the answer goes
        on when it is asked again with their results. Closing the generator abandons the answer
        and frees the server.
        """
        ...


class Mind(Protocol):
    """An agent's LLM with all who stand by for it."""

    def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        """Answer as an `Llm` does; who speaks is told to `note`. Raises LlmError."""
        ...
