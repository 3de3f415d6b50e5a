"""What an agent's LLM may do in one conversation, put together from all who offer something.

What the page around the caller and the conversation itself offer is added by `talk/session.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from sayso.agents.agent import Agent
from sayso.agents.options import Language
from sayso.functions import Arrival, Toolbox
from sayso.functions.call import HttpCalls
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.tools import McpTools
from sayso.functions.service import Functions
from sayso.functions.toolboxes import join
from sayso.functions.tools import FunctionTools
from sayso.stt import Stt, understands
from sayso.talk.actions import NOTHING, Action, Allowed
from sayso.talk.agent import Prompt, Tongue
from sayso.talk.phrases import Phrases, phrases_in, speaks
from sayso.talk.transfer import Destination
from sayso.tts import Voice
from sayso.tts.voices import choose_voice


class Abilities:
    """Gathers the tools of agents.

    Args:
        functions: the stored external functions.
        calls: carries them out.
        mcp: the connections to MCP servers.
    """

    def __init__(self, functions: Functions, calls: HttpCalls, mcp: McpPool) -> None:
        self._functions = functions
        self._calls = calls
        self._mcp = mcp

    async def gather(
        self, agent: Agent, values: Mapping[str, str]
    ) -> tuple[Toolbox, Arrival | None]:
        """The toolbox of `agent` for a conversation in which variables have these `values`.

        With it comes what waits for tools that are on their way; None where all are there.

        Raises:
            InstallationError: a function was sealed with another master key.
        """
        functions = await self._functions.load(agent.owner_id, agent.actions)
        tools = McpTools(self._mcp, agent.id, agent.mcp_servers, values)
        box = join([FunctionTools(functions, self._calls, values), tools])
        return box, tools.arrive if agent.mcp_servers else None


def list_allowed(agent: Agent, languages: Iterable[str] = ()) -> Allowed:
    """What `agent` may do without anybody's server; `languages` are those it can go over to."""
    actions = tuple(Action(name) for name in agent.built_in_actions)
    destinations = tuple(
        Destination(one.name, one.phone_number, one.when, one.message or "")
        for one in agent.transfer_destinations
    )
    if destinations:
        actions = (*actions, Action.TRANSFER)
    zone = agent.time_zone or NOTHING.time_zone
    return Allowed(actions, zone, tuple(languages), destinations)


def list_tongues(
    agent: Agent, stt: Stt, voices: Sequence[Voice], prompt: Callable[[str], Prompt]
) -> dict[str, Tongue]:
    """The languages `agent` may go over to: those that the ears and one of the `voices` know.

    `prompt` makes what its LLM is told in a language.
    """
    if Action.SWITCH_LANGUAGE not in agent.built_in_actions:
        return {}
    tongues = {}
    for language in get_args(Language):
        fitting = [voice for voice in voices if speaks(voice.language, language)]
        if fitting and understands(stt, language):
            voice = choose_voice(agent.voice, fitting)
            phrases = phrases_of(agent, language, voice.language)
            tongues[language] = Tongue(voice.id, phrases, prompt(language))
    return tongues


def phrases_of(agent: Agent, language: str, voice_language: str) -> Phrases:
    """What an agent says where its owner wrote nothing; no goodbyes where they want none."""
    usual = phrases_in(language, voice_language)
    if agent.end_call_message == "":
        return replace(usual, nobody_there="", time_is_up="", goodbye="")
    return usual
