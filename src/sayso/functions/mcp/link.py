"""One connection to one MCP server, in a task of its own.

The SDK's scopes must be entered and left in one task: `_live` is that task, from the first word to
the last. Whoever calls a tool waits for at most its time, and not for the server to be told that
nobody waits any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import anyio
import httpx2
import structlog
from mcp import MCPError
from mcp.client._transport import TransportStreams
from mcp.client.session import ClientSession, IncomingMessage
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost, listen
from mcp_types import (
    UNSUPPORTED_PROTOCOL_VERSION,
    CallToolResult,
    Implementation,
    PaginatedRequestParams,
    Tool,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from sayso import __version__
from sayso.functions.mcp import Hello, McpServer, ServerTool
from sayso.functions.mcp.findings import McpError
from sayso.functions.mcp.guard import MAX_ANSWER_BYTES, GuardedTransport, Trouble
from sayso.functions.mcp.pipe import LastWords, open_pipe
from sayso.functions.mcp.results import (
    MAX_COMPLAINT_CHARS,
    list_secrets,
    make_text,
    redact,
)
from sayso.security.outbound import USER_AGENT

OPEN_S: Final = 15.0
"""How long connecting may take until the tools are known, in seconds."""
PROBE_S: Final = 5.0
"""How long a server may take to say which versions it speaks before the older way is tried."""
CLOSE_S: Final = 2.0
"""How long closing may take, in seconds."""
END_S: Final = 8.0
"""The same for a process, which is asked to end, and killed if it does not."""
MAX_PAGES: Final = 20
"""Of a server's list of tools."""
MAX_TOOLS: Final = 500
"""Of one server that are read; an agent names the few it offers."""
NOT_IMPLEMENTED: Final = 501
"""What servers of plain files answer to whatever is no question for a file."""
MAX_CALLS: Final = 32
"""Under way at once over one connection."""

_log = structlog.get_logger("sayso.mcp")
for _chatty in ("mcp", "client", "httpx2"):  # what servers say, and URLs with owners' secrets
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Ways:
    """How servers are reached.

    Attributes:
        session: makes requests, guarded.
        private: whether private and loopback addresses may be called.
        commands: what the operator allows to be started, by name.
    """

    session: aiohttp.ClientSession
    private: bool
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call: whether it did what was asked, and what the LLM is told."""

    ok: bool
    text: str


class _Session(ClientSession):
    """The SDK's session, without what an owner's server could make ours compute."""

    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        """Take a result as it is: it goes to an LLM, and patterns in schemas may run for ever."""


class Link:
    """One connection.

    Attributes:
        hello: what the server says of itself.
        tools: what it has; changes when the server says so.
        failure: why the connection could not be made, or ended; None as long as it stands.
        version: counts the lists of tools that came.
        ready: set once the first list is there, or the connection failed.
    """

    def __init__(self, server: McpServer, ways: Ways) -> None:
        """Nothing is connected yet."""
        self.hello = Hello()
        self.tools: Mapping[str, ServerTool] = {}
        self.failure: McpError | None = None
        self.version = 0
        self.ready = asyncio.Event()
        self._server = server
        self._ways = ways
        self._trouble = Trouble()
        self._last_words = LastWords()
        self._session: ClientSession | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._over = False
        self._calls: set[asyncio.Task[Any]] = set()
        self._secrets = list_secrets(
            [*server.headers.values(), *httpx2.URL(server.url).params.values()]
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, in a task of its own."""
        self._task = asyncio.create_task(self._live(), name=f"mcp {self._server.name}")

    @property
    def last_words(self) -> str:
        """What a process said to its operator in the end; "" where there is none."""
        return redact(self._last_words.text, self._secrets)

    @property
    def alive(self) -> bool:
        """Whether it stands, or is being made, and nobody has begun to close it."""
        return self.failure is None and not self._trouble.fatal and not self._closing

    @property
    def usable(self) -> bool:
        """Whether it stands, and what tools there are is known."""
        return self.alive and self.ready.is_set()

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return bool(self._calls)

    async def close(self) -> None:
        """End the connection, and wait until nothing of it is left."""
        self._closing = self._closing or self.alive  # one that is dead shall say why
        self._wake.set()
        if self._task is None:
            return
        limit_s = END_S if self._server.command else CLOSE_S
        _, open_ = await asyncio.wait([self._task], timeout=limit_s if self.ready.is_set() else 0)
        if open_:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.failure = self.failure or McpError("mcp.ended", untouched=True)  # it never began
        self.ready.set()

    async def call(self, name: str, arguments: dict[str, Any], timeout_s: float) -> Result:
        """Have a tool do its work. Raises McpError."""
        session = self._session
        if session is None or not self.alive:
            raise McpError("mcp.ended", untouched=True)
        if len(self._calls) >= MAX_CALLS:
            raise McpError("mcp.error", f"{MAX_CALLS} calls are under way", untouched=True)
        task = self._keep(session.call_tool(name, arguments, timeout_s, allow_input_required=True))
        try:
            done, _ = await asyncio.wait([task], timeout=timeout_s)
        finally:
            task.cancel()  # nobody waits any more; the server is told beside
        if not done:
            raise McpError("timeout")
        return self._read(task)

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._calls.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # was looked at, where somebody waited for it

    def _read(self, task: asyncio.Task[Any]) -> Result:
        try:
            result = task.result()
        except asyncio.CancelledError:
            raise McpError("mcp.ended") from None
        except (MCPError, ValidationError, RuntimeError, anyio.ClosedResourceError) as error:
            raise self._explain(error) from None
        if not isinstance(result, CallToolResult):
            raise McpError("mcp.input_wanted")
        shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        text = make_text(shown.get("content", ()), shown.get("structuredContent"), self._secrets)
        return Result(not result.is_error, text)

    # The one task ------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Connect, keep the list of tools, and leave everything in the order it was entered."""
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(OPEN_S):
                    session = await self._open(stack)
                self._session = session
                self.ready.set()
                await self._serve(session)
        except asyncio.CancelledError:
            if not self._closing:
                raise
        except Exception as error:  # noqa: BLE001 - the SDK raises groups of whatever went wrong
            self.failure = self._explain(error)
        finally:
            self.failure = self.failure or McpError("mcp.ended", untouched=True)
            self._tell_end()
            self._session = None
            await self._drop_calls()
            self.ready.set()

    def _tell_end(self) -> None:
        """One line of the log when a connection that stood was not closed by us."""
        if self._session is not None and self.failure is not None and not self._closing:
            _log.warning(
                "mcp_server_gone",
                server=self._server.name,
                finding=self.failure.finding,
                **({"stderr": self.last_words} if self.last_words else {}),
            )

    async def _drop_calls(self) -> None:
        for task in self._calls:
            task.cancel()
        while self._calls:
            await asyncio.wait(self._calls)

    async def _open(self, stack: AsyncExitStack) -> ClientSession:
        streams = await stack.enter_async_context(self._enter_way())
        session = _Session(
            *streams,
            message_handler=self._hear,
            client_info=Implementation(name="sayso", version=__version__),
        )
        await stack.enter_async_context(session)
        await _negotiate(session)
        said, protocol = session.server_info, session.protocol_version or ""
        self.hello = Hello(said.name, said.version, protocol) if said else Hello("", "", protocol)
        await self._list(session)
        return session

    @asynccontextmanager
    async def _enter_way(self) -> AsyncGenerator[TransportStreams]:
        if self._server.command:
            argv = self._ways.commands.get(self._server.command)
            if argv is None:
                raise McpError("mcp.command_refused", untouched=True)
            async with open_pipe(argv, self._trouble, self._last_words, self._end) as streams:
                yield streams
            return
        transport = GuardedTransport(self._ways.session, self._trouble, private=self._ways.private)
        headers = {"User-Agent": USER_AGENT, **self._server.headers}
        async with (
            httpx2.AsyncClient(transport=transport, headers=headers, trust_env=False) as client,
            streamable_http_client(
                self._server.url, http_client=client, max_sse_event_size=MAX_ANSWER_BYTES
            ) as streams,
        ):
            yield streams

    async def _serve(self, session: ClientSession) -> None:
        """Read the list of tools anew whenever it changed, until the connection is closed."""
        listening = asyncio.create_task(self._listen(session))
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._closing or self._over or not self.alive:
                    return
                async with asyncio.timeout(OPEN_S):
                    await self._list(session)
        finally:
            listening.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([listening])

    async def _list(self, session: ClientSession) -> None:
        found: dict[str, ServerTool] = {}
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            found |= {tool.name: _read_tool(tool) for tool in page.tools}
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_TOOLS:
                break
        self.tools = found
        self.version += 1

    def _end(self) -> None:
        """The server is gone."""
        self._over = True
        self.failure = self.failure or self._explain(McpError("mcp.ended", untouched=True))
        self._wake.set()

    async def _hear(self, message: IncomingMessage) -> None:
        """What a server says unasked, by the older way."""
        if isinstance(message, ToolListChangedNotification):
            self._wake.set()

    async def _listen(self, session: ClientSession) -> None:
        """The same by the newer way: it is asked to tell."""
        capabilities = session.server_capabilities
        tells = capabilities is not None and capabilities.tools and capabilities.tools.list_changed
        if not tells or session.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return
        with suppress(MCPError, SubscriptionLost, TimeoutError):
            async with listen(session, tools_list_changed=True) as changes:
                async for _ in changes:
                    self._wake.set()

    def _explain(self, error: BaseException) -> McpError:
        """Why something failed, by what was seen on the way, else by what the SDK says."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, McpError) and not self._trouble.finding:
            return error
        if self._trouble.finding:
            return McpError(self._trouble.finding, untouched=self._trouble.untouched)
        finding, untouched = self._name(error)
        status = self._trouble.status
        said = error.message if isinstance(error, MCPError) else ""
        if status and (not said or finding == "mcp.not_mcp"):  # the SDK's words say less
            said = f"HTTP {status}"
        return McpError(
            finding, redact(said, self._secrets)[:MAX_COMPLAINT_CHARS], untouched=untouched
        )

    def _name(self, error: BaseException) -> tuple[str, bool]:
        if (named := self._name_status(self._trouble.status)) is not None:
            return named
        for kind, finding, untouched in _KINDS:
            if isinstance(error, kind):
                return finding, untouched
        if isinstance(error, RuntimeError) and "version" in str(error):
            return "mcp.version", True
        if not isinstance(error, MCPError):
            return "mcp.not_mcp", False
        said_hello = bool(self.hello.protocol)
        return _name_error(error, self._trouble.status, said_hello=said_hello)

    def _name_status(self, status: int) -> tuple[str, bool] | None:
        if status in {401, 403, 407}:
            return "mcp.refused", True
        if status == 404 and self.hello.protocol:  # it was started anew, and knows no session
            self._trouble.fatal = True
            return "mcp.ended", True
        if status == NOT_IMPLEMENTED and not self.hello.protocol:
            return "mcp.not_mcp", True
        return ("mcp.error", False) if status >= 500 else None


def _name_error(error: MCPError, status: int, *, said_hello: bool) -> tuple[str, bool]:
    if error.message.startswith("SSE stream failed"):
        return "answer.large", False
    if error.message == "Session terminated":
        return "mcp.ended", True
    if error.message in {"Connection closed", "SSE stream ended without a response"}:
        return "mcp.ended", False
    if error.code == UNSUPPORTED_PROTOCOL_VERSION:
        return "mcp.version", True
    if not said_hello and (status or error.message.startswith(_NO_ANSWERS)):
        return "mcp.not_mcp", True
    return "mcp.error", False


_KINDS: Final = ((TimeoutError, "timeout", False), (OSError, "mcp.command_failed", True))
"""Errors that are not the protocol's; a request that fails is explained by what the guard saw."""
_NO_ANSWERS: Final = ("Unexpected content", "Failed to", "server answered a request with 202")
"""How the SDK begins to say that what came is no answer of an MCP server."""


async def _negotiate(session: ClientSession) -> None:
    """Agree on a version: by the newer way, which costs one question, else by the older."""
    try:
        async with asyncio.timeout(PROBE_S):
            await session.discover()
    except (MCPError, RuntimeError, ValidationError, TimeoutError):
        try:
            await session.initialize()
        except MCPError as error:
            if error.code != UNSUPPORTED_PROTOCOL_VERSION:
                raise
            await session.discover()  # it was only slow to start, and has settled for the newer way


def _read_tool(tool: Tool) -> ServerTool:
    hints = tool.annotations
    return ServerTool(
        name=tool.name,
        description=tool.description or tool.title or "",
        parameters=tool.input_schema,
        safe=hints is not None and hints.read_only_hint is True,
        destructive=hints is not None and hints.destructive_hint is True,
    )
