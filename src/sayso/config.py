"""Every setting: its unit, its limit, its reason.

A setting is read once, at the start, from the environment as `SAYSO_<NAME>`
(`SAYSO_DATA_DIR`, `SAYSO_PORT`, ...) and is frozen afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sayso.errors import InstallationError


class Settings(BaseSettings):
    """The server's settings; limits carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix="SAYSO_", frozen=True, extra="ignore")

    # Where things live -------------------------------------------------------------
    data_dir: Path = Field(
        Path("sayso-data"), description="The one folder with all data: database, keys."
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="`postgresql://user:password@host/database` (docs/guide/postgres.md); unset "
        "means SQLite in the data folder.",
    )
    models_dir: Path | None = Field(
        None, description="Folder with the bundled models; unset means the one in the package."
    )

    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in hex or base64 that seal secrets; unset means `master.key` "
        "in the data folder, made on the first run.",
    )

    # The door ------------------------------------------------------------------------
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless you say so.")
    port: int = Field(8400, ge=0, le=65535, description="TCP port to listen on.")
    public_url: str | None = Field(
        None, description="The URL clients use, when a proxy stands in front."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe line that is written."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto`: colour on a terminal, JSON elsewhere."
    )

    # Accounts ------------------------------------------------------------------------
    sign_up: Literal["open", "closed"] = Field(
        "closed",
        description="Whether strangers may make accounts of their own; the owner has one anyway.",
    )
    max_accounts: int = Field(
        1000, ge=1, description="Accounts there may be; after that nobody can sign up."
    )
    session_days: float = Field(
        30.0,
        gt=0,
        le=400,
        description="How long a browser stays signed in after it was last used, in days.",
    )
    sign_in_link_min: float = Field(
        30.0, gt=0, le=1440, description="How long a printed sign-in link can be used, in minutes."
    )
    sign_in_per_min: int = Field(
        10,
        ge=0,
        description="Attempts to sign in or to sign up a minute from one address, and as many for "
        "one email; 0 means no limit.",
    )
    ticket_s: int = Field(
        600,
        ge=10,
        le=86_400,
        description="How long a ticket opens its agent unless `seconds` says otherwise, in "
        "seconds.",
    )
    proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies of yours in front, each adding to `X-Forwarded-For`; with 0 that "
        "header is not read, and all who come through a proxy are one address.",
    )

    # Telemetry -----------------------------------------------------------------------
    traces_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#@]+$",
        description="OpenTelemetry collector that gets the times of each turn by OTLP over HTTP, "
        "such as `http://127.0.0.1:4318`; needs `sayso[otel]`. Unset means that nothing is sent.",
    )

    # Limits --------------------------------------------------------------------------
    max_conversations: int = Field(
        64, ge=1, description="Conversations at once; the next one is refused with 4429."
    )
    max_message_bytes: int = Field(
        262_144, ge=4096, description="Largest socket message taken, in bytes."
    )
    max_body_bytes: int = Field(
        1_048_576, ge=4096, description="Largest REST request body taken, in bytes."
    )
    max_agents: int = Field(10_000, ge=1, description="Agents one account may have.")
    max_functions: int = Field(500, ge=1, description="External functions one account may have.")
    max_unsaved_records: int = Field(
        100_000, ge=100, description="Transcript lines and the like waiting to be stored."
    )
    create_agent_per_min: int = Field(
        20, ge=0, description="`POST /agents` a minute for each API key; 0 means no limit."
    )
    update_agent_per_min: int = Field(
        20, ge=0, description="`PATCH /agents/{id}` a minute for each API key; 0 means no limit."
    )
    get_agent_per_min: int = Field(
        60, ge=0, description="`GET /agents/{id}` a minute for each API key; 0 means no limit."
    )
    get_stats_per_min: int = Field(
        60, ge=0, description="`GET /agent-stats/{id}` a minute for each API key; 0 means no limit."
    )
    check_llm_per_min: int = Field(
        20,
        ge=0,
        description="`POST /llm-checks`, and as many `POST /knowledge-checks`, a minute for each "
        "API key; 0 means no limit.",
    )
    try_function_per_min: int = Field(
        30,
        ge=0,
        description="`POST /external-functions/{id}/try` a minute for each API key; 0 means no "
        "limit.",
    )
    ask_builtin_per_min: int = Field(
        60,
        ge=0,
        description="`POST /builtin/v1/chat/completions` a minute for each API key; 0 means no "
        "limit.",
    )
    check_mcp_per_min: int = Field(
        20, ge=0, description="`POST /mcp-checks` a minute for each API key; 0 means no limit."
    )
    max_conversation_s: float = Field(
        3600.0, gt=0, description="Longest conversation, in seconds; it ends with a spoken goodbye."
    )
    max_utterance_s: float = Field(
        15.0, gt=1, le=60, description="Longest piece transcribed at once, in seconds."
    )
    max_history_chars: int = Field(
        24_000, ge=1000, description="Conversation text sent to the LLM, in characters."
    )
    setup_timeout_s: float = Field(
        10.0, gt=0, description="How long a new socket may wait before its `setup`, in seconds."
    )
    drain_s: float = Field(
        5.0, ge=0, description="How long a stopping server lets conversations end, in seconds."
    )

    # Recordings ----------------------------------------------------------------------
    recordings: Literal["on", "off"] = Field(
        "on",
        description="Whether conversations are recorded, both sides; an agent may say no "
        "(`recordAudio`). A minute takes up to 2 MB.",
    )
    keep_recordings_days: int = Field(
        30, ge=1, le=36_500, description="How long recordings are kept, in days."
    )
    keep_conversations_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="How long conversations are kept, in days: transcripts, times, what LLMs were "
        "asked, and recordings; unset means until they are deleted.",
    )

    # Documents -------------------------------------------------------------------------
    # A page of PDF takes 5 to 50 ms of one core.
    max_document_bytes: int = Field(
        26_214_400, ge=1024, le=1_073_741_824, description="Largest document taken, in bytes."
    )
    max_document_pages: int = Field(
        2000, ge=1, le=100_000, description="Longest PDF read, in pages."
    )
    max_document_chars: int = Field(
        5_000_000,
        ge=1000,
        le=100_000_000,
        description="Most text taken from one document, in characters.",
    )
    read_timeout_s: float = Field(
        600.0,
        gt=0,
        le=3600,
        description="Longest time reading one document may take, in seconds; it gives way to "
        "conversations.",
    )
    read_cpu_s: int = Field(
        120, ge=1, le=3600, description="Most CPU reading one document may use, in seconds."
    )
    read_memory_mib: int = Field(
        512,
        ge=128,
        le=16_384,
        description="Most memory reading one document may use, in MiB. Linux only: macOS cannot "
        "hold a process to it, and relies on the other limits.",
    )

    # Agents ----------------------------------------------------------------------------
    keep_deleted_min: float = Field(
        10.0,
        ge=0,
        le=43_200,
        description="How long a deleted agent can be brought back, in minutes; 0 removes it at "
        "once.",
    )

    # What agents know ------------------------------------------------------------------
    max_sources: int = Field(
        100, ge=1, le=10_000, description="Files, pages and sites one agent may know."
    )
    max_sources_bytes: int = Field(
        268_435_456, ge=1024, description="All files of one agent together, in bytes."
    )
    max_passages: int = Field(
        10_000,
        ge=1,
        le=200_000,
        description="Passages of about 100 words one agent may know; each takes 2 kB.",
    )
    max_crawl_pages: int = Field(
        200, ge=1, le=10_000, description="Pages of a site that are visited, if its owner asks."
    )
    max_page_bytes: int = Field(
        2_097_152, ge=1024, le=67_108_864, description="Largest web page taken, in bytes."
    )
    crawl_timeout_s: float = Field(
        600.0, gt=0, le=86_400, description="Longest visit to one site, in seconds."
    )
    max_prompt_knowledge_chars: int = Field(
        8000,
        ge=0,
        description="Critical knowledge longer than this, in characters, is searched for each "
        "question instead of standing in the prompt; until it is indexed, its beginning stands "
        "there.",
    )
    add_knowledge_per_min: int = Field(
        60,
        ge=0,
        description="Files and pages added, replaced or refreshed a minute for each API key; 0 "
        "means no limit.",
    )

    preview_voice_per_min: int = Field(
        30, ge=0, description="`POST /voices/preview` a minute for each API key; 0 means no limit."
    )
    search_knowledge_per_min: int = Field(
        60,
        ge=0,
        description="`POST /agents/{id}/knowledge/search` a minute for each API key; 0 means no "
        "limit.",
    )

    # Silence and the end -----------------------------------------------------------------
    idle_timeout_s: float = Field(
        20.0,
        ge=0,
        le=3600,
        description="Silence before the agent asks whether somebody is there; 0 means never.",
    )
    idle_nudges: int = Field(
        2, ge=0, le=10, description="How often it asks before it says goodbye and hangs up."
    )
    warning_s: float = Field(
        30.0,
        ge=0,
        le=600,
        description="How long before the longest conversation ends the caller is told; 0 means "
        "not at all.",
    )

    transfer_timeout_s: float = Field(
        60.0,
        ge=1,
        le=600,
        description="How long a client that hands a caller on has to say that it failed, in "
        "seconds; then the conversation is over.",
    )

    # Turn-taking ---------------------------------------------------------------------
    patience: Literal["eager", "normal", "patient"] = Field(
        "normal",
        description="How soon a pause is an ending. `eager` answers quickest, and now and then "
        "into a thought; `patient` is for people who dictate, or think aloud. An agent may have "
        "its own.",
    )
    patience_s: float | None = Field(
        None,
        ge=0.1,
        le=10,
        description="The least silence that ends the caller's turn, in seconds; unset leaves it to "
        "`patience`.",
    )
    interruption_s: float = Field(
        1.2,
        ge=0.1,
        le=5,
        description="Speech over the agent that counts as an interruption even if no word of it is "
        "known yet, in seconds; sound that was written down by then and holds none may last 2.5 "
        "times as long. The agent is silent from its first sound on.",
    )
    speculate: bool = Field(
        True,
        description="Ask the LLM at the first likely end of a turn; dropped if the caller goes on.",
    )
    filler_after_s: float = Field(
        1.5,
        ge=0.1,
        le=60,
        description="How long a caller waits for a function before the agent says that it takes a "
        "moment, in seconds.",
    )
    pacing_ahead_s: float = Field(
        0.25, gt=0, le=2, description="How far sound is sent ahead of its playing, in seconds."
    )

    # Ears and mouth --------------------------------------------------------------------
    vad: str = Field("silero", description="Voice-activity engine: an entry point's name.")
    vad_options: dict[str, str] = Field(
        default_factory=dict, description="Options of the voice-activity engine."
    )
    stt: str = Field("moonshine", description="Speech-to-text engine: an entry point's name.")
    stt_options: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Options of the speech-to-text engine."
    )
    stt_workers: int = Field(2, ge=1, le=64, description="Transcriptions at the same time.")
    stt_timeout_s: float = Field(
        10.0, gt=0, description="Longest wait for one transcript, in seconds."
    )
    eot: str = Field(
        "smart-turn",
        description="End-of-turn judge: an entry point's name. `rules` goes by the words alone.",
    )
    eot_options: dict[str, str] = Field(
        default_factory=dict, description="Options of the end-of-turn judge."
    )
    eot_workers: int = Field(1, ge=1, le=64, description="Judgements at the same time.")
    eot_timeout_s: float = Field(
        2.0, gt=0, description="Longest wait for one judgement, in seconds."
    )
    tts: str = Field("hibari", description="Text-to-speech engine: an entry point's name.")
    tts_options: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Options of the text-to-speech engine."
    )
    tts_workers: int = Field(2, ge=1, le=64, description="Syntheses at the same time.")
    tts_timeout_s: float = Field(
        15.0, gt=0, description="Longest wait for the sound of one clause, in seconds."
    )

    # The LLM -----------------------------------------------------------------------------
    llm_connect_timeout_s: float = Field(
        5.0, gt=0, description="Longest wait for a connection to an LLM, in seconds."
    )
    llm_first_token_timeout_s: float = Field(
        10.0, gt=0, description="Longest wait for the first useful token, in seconds."
    )
    llm_between_tokens_timeout_s: float = Field(
        5.0, gt=0, description="Longest silence between two tokens, in seconds."
    )
    llm_reply_start_timeout_s: float = Field(
        20.0,
        gt=0,
        le=120,
        description="Longest wait for the first word of a reply over an LLM and all its "
        "fallbacks, in seconds; then a sentence is spoken.",
    )
    llm_reply_timeout_s: float = Field(
        120.0, gt=0, description="Longest whole answer of an LLM, in seconds."
    )
    llm_check_timeout_s: float = Field(
        12.0, gt=0, le=60, description="Longest LLM check when an agent is saved, in seconds."
    )
    llm_deep_check: bool = Field(
        True,
        description="Whether a check goes on after the answer: tools, long prompts, parallel "
        "callers and more, 10 to 16 requests.",
    )
    outbound_private: bool = Field(
        True,
        description="Whether private and loopback addresses may be called (an LLM or a speech "
        "server next door); "
        "metadata, link-local and reserved ones never are.",
    )
    mcp_commands: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="MCP servers that agents may have started, command lines by name; unset means "
        "none. Whoever may save an agent may use each of them.",
    )
    builtin_llm_url: str | None = Field(
        None,
        description="OpenAI-compatible base URL used by agents without an `llm`; "
        "unset means no language model: extractive answers from what the agent knows. It is "
        "checked when the server starts; the log says in one line how that went.",
    )
    builtin_llm_key: SecretStr | None = Field(None, description="API key for `builtin_llm_url`.")
    builtin_llm_model: str | None = Field(None, description="Model name for `builtin_llm_url`.")
    builtin_llm_gguf: Path | None = Field(
        None,
        description="A GGUF file that answers for agents without an `llm`, in the place of "
        "`builtin_llm_url`: llama.cpp serves it in a process of its own, on a port of this machine "
        "only. Needs `pip install 'sayso[llama]'`.",
    )

    # What agents know ------------------------------------------------------------------
    retrieval_timeout_s: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Longest wait of an answer for what the agent's knowledge says about it, in "
        "seconds; what comes later is dropped.",
    )
    own_retrieval_timeout_s: float = Field(
        2.0,
        gt=0,
        le=10,
        description="Longest wait for an owner's own retrieval server, whatever its agent's "
        "`timeoutMs` says, in seconds; if it fails, the search that comes with Sayso is waited for "
        "behind it.",
    )
    retrieval_passages: int = Field(
        5, ge=1, le=20, description="Passages of an agent's knowledge an answer may stand on."
    )

    @property
    def database(self) -> str:
        """The URL of the database in force."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'sayso.db'}"

    @property
    def url(self) -> str:
        """The base URL clients use."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(overrides: Mapping[str, object]) -> Settings:
    """The settings from the environment, with `overrides` from the command line.

    Raises:
        InstallationError: a value is not valid; the message names the setting.
    """
    try:
        return Settings(**cast("dict[str, Any]", dict(overrides)))
    except ValidationError as problem:
        wrong = "; ".join(
            f"SAYSO_{'_'.join(str(part) for part in error['loc']).upper()}: {error['msg']}"
            for error in problem.errors()
        )
        raise InstallationError(
            f"a setting is not valid: {wrong}",
            hint="docs/reference/settings.md lists every setting with its limits.",
        ) from None
