"""What can be wrong with an LLM, as data: how bad it is, the sentence, the way out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """Whether an agent can speak with this LLM."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue; `{where}` and the facts in braces are filled in."""

    severity: Severity
    sentence: str
    fix: str


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {
        "url.bad": Entry(
            _E,
            "{url} is not a base URL that can be called: {reason}.",
            "Give the part before /chat/completions, such as https://llm.example.com/v1.",
        ),
        "header.bad": Entry(
            _E,
            "The header {name} cannot be sent: {reason}.",
            "Correct or remove it in baseParams.defaultHeaders.",
        ),
        "body.bad": Entry(
            _E,
            "The request for {where} cannot be written as JSON: {reason}.",
            "Correct baseParams; only JSON values can be sent.",
        ),
        "outbound.refused": Entry(
            _E,
            "{where} was not called: {reason}.",
            "Use another address. Private and loopback addresses are allowed by the setting "
            "SAYSO_OUTBOUND_PRIVATE; link-local, metadata and reserved ones never are.",
        ),
        "dns.failed": Entry(
            _E,
            "{where} could not be called: the name {host} does not resolve ({reason}).",
            "Check the host name for typing errors, and that this server can resolve it.",
        ),
        "connect.refused": Entry(
            _E,
            "{where} refused the connection: nothing listens at {host} port {port}.",
            "Start the LLM server, or correct host and port. In a container, localhost is the "
            "container itself.",
        ),
        "connect.timeout": Entry(
            _E,
            "{where} did not accept a connection within {limit_s:g} s.",
            "Check that the host is up and that no firewall drops the connection; the limit is "
            "{setting}.",
        ),
        "connect.failed": Entry(
            _E,
            "{where} could not be reached: {reason}.",
            "Check the address and the network between this server and the LLM.",
        ),
        "connect.closed": Entry(
            _E,
            "{where} closed the connection without an answer.",
            "Look into the LLM server's log; check http:// against https://.",
        ),
        "tls.failed": Entry(
            _E,
            "{where} could not be called over TLS: {reason}.",
            "Use a certificate this server trusts, or http:// if the LLM speaks plain HTTP.",
        ),
        "redirect.refused": Entry(
            _E,
            "{where} answered {status}, a redirect to {location}; the key is not sent there.",
            "Put the address it redirects to into baseURL, if you trust it.",
        ),
        "auth.refused": Entry(
            _E,
            "{where} answered {status}: {problem}.",
            "Check llm.apiKey: {advice}.",
        ),
        "path.not_found": Entry(
            _E,
            "{where} answered {status}: there is no chat completion at this path.",
            "Give the base URL below which /chat/completions exists; nothing adds /v1 for you.",
        ),
        "rate.limited": Entry(
            _E,
            "{where} answered {status}: too many requests, or no credit left.",
            "Wait, or raise the limit at the LLM's provider.",
        ),
        "model.unknown": Entry(
            _E,
            "{where} does not know the model {model}.",
            "Set llm.baseParams.model to a model this server offers.",
        ),
        "http.status": Entry(
            _E,
            "{where} answered {status} instead of 200.",
            "Read what it said, at the end of this message, and the LLM server's log.",
        ),
        "request.refused": Entry(
            _E,
            "{where} answered {status} even to the smallest request: model, messages, stream.",
            "Read what it said, at the end of this message: that may name the part of the request "
            "the server refuses; else its log does.",
        ),
        "params.rejected": Entry(
            _W,
            "{where} refuses {names}; conversations leave it out.",
            "Remove it from baseParams, or use a model that takes it.",
        ),
        "max_tokens.renamed": Entry(
            _N,
            "{where} refuses {refused} and takes {taken}; conversations send that.",
            "Nothing needs to be done.",
        ),
        "system.refused": Entry(
            _W,
            "{where} refuses a system message; the agent's prompt goes into the caller's first "
            "message.",
            "It works; a chat template with a system role follows the prompt more closely.",
        ),
        "history.refused": Entry(
            _E,
            "{where} answers a single message, but refuses a conversation with a system message, "
            "an answer of the agent and a second question.",
            "Take messages of the roles system, user and assistant, however many.",
        ),
        "http.html": Entry(
            _E,
            "{where} answered {status} with a web page, not with a chat completion.",
            "Correct baseURL: this path belongs to a web site, not to the API.",
        ),
        "http.broken": Entry(
            _E,
            "{where} did not answer in HTTP that can be read: {reason}.",
            "Check the port, and http:// against https://.",
        ),
        "body.not_sse": Entry(
            _E,
            "{where} answered 200, but neither with an event stream nor with a JSON completion.",
            'Answer `"stream": true` with text/event-stream: lines of `data: {{...}}`.',
        ),
        "body.json_not_sse": Entry(
            _W,
            "{where} ignored `stream: true` and sent its whole answer as JSON.",
            "It works, but speech begins only when the answer is complete: stream it.",
        ),
        "stream.empty": Entry(
            _E,
            "{where} ended its answer without a single word.",
            "Send text in choices[0].delta.content.",
        ),
        "stream.no_choices": Entry(
            _E,
            "{where} sent events without a list of choices ({reason}).",
            "Send text in choices[0].delta.content.",
        ),
        "stream.reasoning_only": Entry(
            _E,
            "{where} sent only its reasoning and no answer.",
            "Switch thinking off, or raise maxTokens so that an answer follows.",
        ),
        "stream.tool_calls_only": Entry(
            _E,
            "{where} asked for a function, which nobody had offered it, and said nothing.",
            "Let your LLM call its functions itself and stream the words that follow, and take "
            "`tools` out of baseParams.",
        ),
        "stream.error_object": Entry(
            _E,
            "{where} reported an error inside its answer: {reason}.",
            "Read the error, and the LLM server's log.",
        ),
        "stream.cut": Entry(
            _E,
            "{where} broke off in the middle of its answer: {reason}.",
            "Look into the LLM server's log, and at proxies between it and this server.",
        ),
        "stream.too_long": Entry(
            _E,
            "{where} sent more than is accepted: {reason}.",
            "Set maxTokens, or ask for shorter answers in the prompt.",
        ),
        "first_token.slow": Entry(
            _E,
            "{where} sent no word to speak within {limit_s:g} s ({reason}).",
            "Use a faster model, switch thinking off, or raise {setting}.",
        ),
        "stream.stalled": Entry(
            _E,
            "{where} fell silent for {limit_s:g} s in the middle of its answer.",
            "Look into the LLM server's log, or raise {setting}.",
        ),
        "stream.empty_once": Entry(
            _W,
            "{where} answered without a single word, and with words when asked again.",
            "Look into the LLM server's log; each empty answer costs the caller a second wait.",
        ),
        "stream.buffered": Entry(
            _W,
            "{where} sends its answer at once at the end: callers wait {first_token_s:.1f} s even "
            "for a short one, and longer for a long one.",
            "Flush each chunk, and switch off buffering in proxies (nginx: `proxy_buffering off`).",
        ),
        "stream.bad_json": Entry(
            _W,
            "{where} sent an event that is not JSON; it was skipped.",
            "Send one JSON object in each `data:` line.",
        ),
        "stream.cumulative": Entry(
            _W,
            "{where} repeats the whole answer in each event; only what is new is spoken.",
            "Send only the new text in choices[0].delta.content.",
        ),
        "stream.reasoning": Entry(
            _W,
            "{where} thinks before it speaks; its reasoning is not spoken, but takes time.",
            "Switch thinking off for a quicker answer.",
        ),
        "stream.no_end": Entry(
            _N,
            "{where} ended without `data: [DONE]` and without a finish_reason.",
            "Send one of them, so that a broken connection can be told from an end.",
        ),
        "answer.different": Entry(
            _W,
            "{where} answered, but did not repeat the sentence it was asked to repeat.",
            "Fine for an LLM with a strong persona; otherwise check what it was made to say.",
        ),
        "tools.refused": Entry(
            _W,
            "{where} refuses `tools`; the agent's functions are told to it in words instead, which "
            "works less surely.",
            "Use a model and a server that take tools, if the agent needs actions.",
        ),
        "tools.ignored": Entry(
            _W,
            "{where} ignores `tools`: it was offered a function, asked twice to call it, and "
            "answered in words. The agent's functions are told to it in words from now on, which "
            "it understood when it was tried, but works less surely.",
            "Let the LLM server pass `tools` on to the model, and give the calls back in "
            "choices[0].delta.tool_calls (llama.cpp: --jinja; vLLM: --enable-auto-tool-choice with "
            "the model's --tool-call-parser); then save the agent again.",
        ),
        "tools.unused": Entry(
            _W,
            "{where} calls no function: it was offered one in `tools`, asked twice to call it, "
            "then told of it in words, and only ever talked. The agent's functions will hardly be "
            "called.",
            "Use a model and a server that take tools, if the agent needs actions; one that calls "
            "functions of its own needs none of the agent's.",
        ),
        "tools.shy": Entry(
            _N,
            "{where} takes `tools`, but asked twice to call a function it talked, and called it "
            "only when it had to.",
            "Use a model that was trained to call functions, or say in the agent's prompt when to "
            "call which.",
        ),
        "unicode.broken": Entry(
            _W,
            "{where} damages letters beyond ASCII; they are spoken wrongly.",
            "Send UTF-8, and do not cut a character between two events.",
        ),
        "prompt.too_long": Entry(
            _W,
            "{where} refuses a prompt of {chars} characters, which a long conversation of an "
            "agent with much knowledge has.",
            "Raise the model's context length, or keep prompt and knowledge short.",
        ),
        "parallel.refused": Entry(
            _W,
            "{where} refuses a second request while it answers the first; with two callers, one "
            "hears an apology.",
            "Let the server take several requests at once, or queue them.",
        ),
        "parallel.queued": Entry(
            _N,
            "{where} answers one request after the other; with two callers, one waits.",
            "Start the LLM server with more slots, if several people call at once.",
        ),
        "cancel.ignored": Entry(
            _W,
            "{where} answers one request at a time, goes on writing when the caller interrupts, "
            "and keeps the next answer waiting ({waited_s:.1f} s).",
            "Stop generating when the connection closes; at a server that answers several at "
            "once it cannot be seen from outside, and is not looked for.",
        ),
        "keepalive.none": Entry(
            _N,
            "{where} closes the connection after each answer, so that every reply pays for a "
            "new one.",
            "Let the server keep connections open (HTTP keep-alive).",
        ),
        "timeouts.capped": Entry(
            _W,
            "llm.timeouts.firstTokenMs allows {allowed_s:g} s, but a conversation apologises when "
            "nobody has begun to speak after {limit_s:g} s, whatever the agent's own timeouts are.",
            "Use a faster model, or let the operator raise SAYSO_LLM_REPLY_START_TIMEOUT_S.",
        ),
        "answer.late": Entry(
            _W,
            "{where} took {first_token_s:.1f} s to its first word; callers notice above "
            "{limit_s:g} s.",
            "Use a faster model or a closer server, or switch thinking off.",
        ),
    }
)
