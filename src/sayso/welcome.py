"""The first minute of a new installation: an owner with a key, and an agent to talk to."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from sayso.accounts.schema import Account
from sayso.accounts.service import Accounts
from sayso.agents.schema import NewAgent
from sayso.agents.service import Agents
from sayso.store.paging import PageRequest

FIRST_AGENT = NewAgent.model_validate(
    {
        "displayName": "Sayso guide",
        "description": "Tells newcomers about Sayso. Yours to change.",
        "greeting": "Hello! I am the Sayso guide. What would you like to know?",
        "prompt": "You answer questions about Sayso, briefly and kindly.",
        "criticalKnowledge": (
            "# What Sayso is\n"
            "Sayso is an open, self-hosted home for voice agents that speak with your own "
            "language model.\n\n"
            "# License and price\n"
            "Sayso is free and open source. Its license is the Apache license, version two.\n\n"
            "# Making an agent\n"
            "You make an agent in the web console, or with one request to the REST API.\n\n"
            "# What it needs to run\n"
            "To run Sayso you need one computer with Python and make; a laptop is enough.\n\n"
            "# Connecting your own language model\n"
            "To connect your own language model, or LLM, set the agent's llm field to the base "
            "URL of any OpenAI compatible server. Sayso checks that server with a real question "
            "before it saves the change.\n\n"
            "# Privacy, internet and hardware\n"
            "Sayso needs no internet, no keys, and no GPU or graphics card. Your words stay on "
            "this machine, and are sent only to the language model you chose.\n\n"
            "# Ways to talk\n"
            "You can talk to an agent from the browser, from the command line, or from your own "
            "code over a web socket. One tag puts it on your website.\n\n"
            "# Knowledge and actions\n"
            "An agent can read your PDF files, your documents and your web pages, and it can call "
            "functions on your servers.\n\n"
            "# Interrupting\n"
            "You can interrupt the agent at any time, just by speaking.\n\n"
            "# Voices and languages\n"
            "There are five built-in voices, three female and two male, and they speak English."
        ),
        "visibility": "public",
    }
)
"""Answers out of its own notes until it is given a language model."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What `sayso serve` prints when it is ready.

    Attributes:
        user_id: the owner's.
        api_key: theirs; None except the first time, when it is shown once.
        link: the token that signs them in once, in a browser.
        agent_id: of the owner's newest agent; None if they deleted them all.
    """

    user_id: str
    api_key: SecretStr | None
    agent_id: str | None
    link: SecretStr


async def greet(agents: Agents, account: Account) -> None:
    """Give a new account an agent to talk to."""
    await agents.create(account, FIRST_AGENT, by_server=True)


async def welcome(accounts: Accounts, agents: Agents) -> Welcome:
    """Make the owner and the first agent if this is a new installation; say who is here."""
    owner = await accounts.ensure_owner()
    user_id = owner.user_id if owner else await accounts.owner_id()
    account = Account(user_id, "")
    if owner is not None:
        await greet(agents, account)
    page = await agents.page(account, PageRequest(1, None))
    agent_id = page.rows[0].id if page.rows else None
    link = await accounts.sessions.new_link(user_id)
    return Welcome(user_id, owner.api_key if owner else None, agent_id, link)
