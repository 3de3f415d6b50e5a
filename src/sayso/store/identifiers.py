"""Makes the names of stored things: opaque, unguessable, safe in a URL."""

from __future__ import annotations

import re
import secrets
import string
import unicodedata

ALPHABET = string.ascii_letters + string.digits
MAX_ID_CHARS = 100
MAX_SLUG_CHARS = 32
USER_ID_CHARS = 28
"""Length of a user id as the original service issued them (contract §1.2)."""

_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID_CHARS}}}")


def random_text(chars: int) -> str:
    """`chars` random letters and digits, 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(chars))


def new_id() -> str:
    """The id of a conversation, a line, a key: 20 characters, 119 bits."""
    return random_text(20)


def new_user_id() -> str:
    """The id of an account."""
    return random_text(USER_ID_CHARS)


def new_api_key() -> str:
    """An API key: `ak-` and 32 hex digits, 128 random bits (contract §1.2)."""
    return f"ak-{secrets.token_hex(16)}"


def new_session_token() -> str:
    """What a browser's cookie holds: `ss-` and 256 random bits."""
    return f"ss-{secrets.token_urlsafe(32)}"


def new_link_token() -> str:
    """What a sign-in link holds behind its `#`: `si-` and 256 random bits."""
    return f"si-{secrets.token_urlsafe(32)}"


def new_agent_id(name: str) -> str:
    """The id of an agent: a slug of its name, a hyphen, 14 random characters (contract §2.3)."""
    return f"{slug(name)}-{random_text(14)}"


def slug(name: str) -> str:
    """`name` as lower-case ASCII words joined by hyphens; `agent` when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:MAX_SLUG_CHARS].strip("-") or "agent"


def is_id(text: str) -> bool:
    """Whether `text` could be one of our ids; what is not need not reach the database."""
    return _ID.fullmatch(text) is not None
