"""Why a call of an external function failed, as stable codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FINDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "arguments.missing": "The LLM left a required parameter away; it is told to ask the "
        "caller, and nothing was sent.",
        "arguments.bad": "A value does not fit its parameter; the LLM is told, and nothing was "
        "sent.",
        "function.unknown": "The LLM called something the agent does not have.",
        "function.bad": "A fixed value or the URL cannot be sent, such as a number made of a "
        "variable without a value.",
        "outbound.refused": "The address may not be called: metadata, link-local, reserved, or "
        "private while `SAYSO_OUTBOUND_PRIVATE` is off.",
        "dns.failed": "The host's name is not known.",
        "connect.failed": "Nobody could be reached there.",
        "tls.failed": "The encrypted connection could not be made; often a certificate.",
        "redirect.refused": "The endpoint answered with a redirect, and none is followed: give the "
        "URL where it leads.",
        "http.status": "The endpoint answered 400 or more; the LLM is told the status, and below "
        "500 the beginning of the answer.",
        "http.broken": "What came back is not HTTP, or broke off.",
        "answer.binary": "The answer is a picture, a sound or the like, and no text.",
        "timeout": "There was no whole answer within `timeoutSeconds`.",
    }
)
