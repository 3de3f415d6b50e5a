"""Every error Sayso raises, as one tree.

    SaysoError
    ├── RefusedError            a request we will not serve, with the HTTP status it maps to
    │   ├── BadRequestError     400  what was sent is not valid
    │   ├── UnauthorizedError   401  no key, or a wrong one
    │   │   └── NobodyError         nobody is signed in; says whether strangers may sign up
    │   ├── ForbiddenError      403  somebody else's object
    │   ├── NotFoundError       404  no such object
    │   ├── ConflictError       409  the object changed, or is in use
    │   ├── TooLargeError       413  more than is taken at once
    │   └── TooManyError        429  a limit was reached; carries retry_after_s
    ├── TalkError               ends or disturbs a conversation; carries the contract's code
    │   └── SetupError          4400 the first message is not a valid setup
    ├── LlmError                the agent's LLM could not answer; carries a finding code
    ├── KnowledgeError          what the agent knows could not be looked up
    ├── AudioError              sound that cannot be read or written
    │   └── SilentMicrophoneError   nothing but silence comes from the caller
    ├── ReadError               a document that cannot be read; carries a code
    ├── FetchError              a web page that cannot be fetched; carries a code
    ├── SpeechError             a speech engine (VAD, STT, TTS) failed
    └── InstallationError       something on this machine is missing or damaged

Each error says who must act (`blame`), in the words a person can act on (`str(error)`),
and, where one exists, the next step (`hint`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Blame(StrEnum):
    """Who must act for an error to go away."""

    CALLER = "caller"
    OWNER = "owner"
    LLM = "llm"
    OPERATOR = "operator"


class SaysoError(Exception):
    """The root: a sentence, who must act, and a hint."""

    blame: Blame = Blame.OPERATOR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RefusedError(SaysoError):
    """A request we will not serve: `status` over HTTP, `error_id` for programs.

    `field` names the part of the request to change, as a dotted path (`llm.baseURL`).
    `details` carries more of the same shape when several things are wrong at once.
    """

    blame = Blame.CALLER
    status: ClassVar[int] = 400
    error_id: ClassVar[str] = "BAD_REQUEST"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        field: str | None = None,
        details: tuple[dict[str, object], ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.details = details


class BadRequestError(RefusedError):
    """What was sent is not valid."""


class UnauthorizedError(RefusedError):
    """No API key, or one we do not know."""

    status = 401
    error_id = "UNAUTHORIZED"


class NobodyError(UnauthorizedError):
    """Nobody is signed in; `sign_up_open` says whether strangers may make an account."""

    def __init__(self, message: str, *, sign_up_open: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sign_up_open = sign_up_open


class ForbiddenError(RefusedError):
    """The object belongs to another account."""

    status = 403
    error_id = "FORBIDDEN"


class NotFoundError(RefusedError):
    """There is no such object."""

    status = 404
    error_id = "NOT_FOUND"


class ConflictError(RefusedError):
    """The object changed meanwhile, or is in use."""

    status = 409
    error_id = "CONFLICT"


class TooLargeError(RefusedError):
    """What was sent is larger than is taken."""

    status = 413
    error_id = "CONTENT_TOO_LARGE"


class TooManyError(RefusedError):
    """A limit was reached; try again after `retry_after_s` seconds."""

    status = 429
    error_id = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after_s: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class TalkCode:
    """The codes of a conversation's `error` message (contract §4.5)."""

    INVALID_TOKEN = 1001
    INVALID_AGENT = 1002
    INVALID_CREDENTIALS = 1003
    INVALID_MESSAGE = 4400
    SILENT = 4408
    UNAUTHORIZED = 4401
    FORBIDDEN_ORIGIN = 4403
    TOO_MANY = 4429
    INTERNAL = 4500


class TalkError(SaysoError):
    """Disturbs a conversation, and ends it when `fatal`."""

    blame = Blame.CALLER

    def __init__(
        self, message: str, *, code: int, fatal: bool = True, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.fatal = fatal


class SetupError(TalkError):
    """The first message of a conversation is not a valid `setup`."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message, code=TalkCode.INVALID_MESSAGE)
        self.field = field


class LlmError(SaysoError):
    """The agent's LLM could not answer; `finding` is a stable code such as `http.html`."""

    blame = Blame.LLM

    def __init__(self, message: str, *, finding: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.finding = finding


class KnowledgeError(SaysoError):
    """What the agent knows could not be looked up; `finding` is a stable code."""

    blame = Blame.OWNER

    def __init__(self, message: str, *, finding: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.finding = finding


class AudioError(SaysoError):
    """Sound that cannot be read or written."""

    blame = Blame.CALLER


class SilentMicrophoneError(AudioError):
    """The caller's microphone gives nothing but silence."""


class ReadCode(StrEnum):
    """Why a document cannot be read."""

    EMPTY = "empty"
    WRONG_KIND = "wrong_kind"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    NO_TEXT = "no_text"
    TOO_BIG = "too_big"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"


class ReadError(SaysoError):
    """A document that cannot be read; `code` says why."""

    blame = Blame.OWNER

    def __init__(self, message: str, *, code: ReadCode, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class FetchCode(StrEnum):
    """Why a web page cannot be fetched."""

    NOT_ALLOWED = "not_allowed"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_PAGE = "no_page"
    TOO_BIG = "page_too_big"
    TOO_SLOW = "page_too_slow"
    ROBOTS = "robots"


class FetchError(SaysoError):
    """A web page that cannot be fetched; `code` says why."""

    blame = Blame.OWNER

    def __init__(self, message: str, *, code: FetchCode, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class SpeechError(SaysoError):
    """A speech engine failed."""


LESS_WORK = "Take fewer conversations (SAYSO_MAX_CONVERSATIONS), or give this server more processor"
"""The beginning of a hint for the operator of a machine that is too busy."""


class InstallationError(SaysoError):
    """Something on this machine is missing or damaged; the message says how to mend it."""
