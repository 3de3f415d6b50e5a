"""Seals what must stay secret at rest: AES-256-GCM for what we read back, HMAC for what we compare.

A sealed text is bound to its place, `table:column:row`, so it cannot be moved to another row and
opened there. Its envelope is `v1.<key id>.<nonce + ciphertext>`, the last part in URL-safe base64.

One master key, 32 random bytes, comes from `SAYSO_MASTER_KEY` or from `master.key` in the data
folder, made on the first run. The keys in use are derived from it (HKDF-SHA256), one per purpose.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from sayso.errors import InstallationError

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = "v1"
KEY_FILE = "master.key"

_log = structlog.get_logger(__name__)


class Secrets:
    """Seals, opens and signs texts, and fingerprints API keys, with one master key."""

    def __init__(self, master_key: bytes) -> None:
        """Derive the keys in use from `master_key`, 32 random bytes."""
        self._cipher = AESGCM(_derive(master_key, b"sayso seal v1"))
        self._hash_key = _derive(master_key, b"sayso api-key hash v1")
        self._sign_key = _derive(master_key, b"sayso ticket v1")
        self.key_id = _derive(master_key, b"sayso key id v1")[:4].hex()

    def __repr__(self) -> str:
        return f"Secrets(key_id={self.key_id!r})"

    def seal(self, text: str, place: str) -> str:
        """Encrypt `text` for `place` (`table:column:row`)."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())
        return f"{VERSION}.{self.key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, envelope: str, place: str) -> str:
        """Decrypt what `seal` made for the same `place`.

        Raises:
            InstallationError: it was sealed with another key, for another place, or is damaged.
        """
        version, _, rest = envelope.partition(".")
        key_id, _, body = rest.partition(".")
        if version != VERSION:
            raise InstallationError(f"the sealed value at {place} has an unknown form")
        if key_id != self.key_id:
            raise InstallationError(
                f"the value at {place} was sealed with master key {key_id}, not {self.key_id}",
                hint="Put back the master.key (or SAYSO_MASTER_KEY) that belongs to this database.",
            )
        try:
            sealed = base64.urlsafe_b64decode(body)
            opened = self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise InstallationError(
                f"the sealed value at {place} is damaged, or belongs to another place",
                hint="Save it anew; if you did not edit the database, restore a backup.",
            ) from error
        return opened.decode()

    def sign(self, text: str) -> str:
        """The signature of a ticket: 32 hex digits, 128 bits."""
        return hmac.new(self._sign_key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def signed(self, text: str, signature: str) -> bool:
        """Whether `signature` is ours of `text`; takes as long wherever they differ."""
        expected = self.sign(text.encode(errors="replace").decode())
        return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))

    def fingerprint(self, api_key: str) -> str:
        """The keyed hash an API key is stored as and found by: `<key id>.<64 hex digits>`.

        Sign-in links and the cookies of browsers are random, too, and kept the same way.
        """
        digest = hmac.new(self._hash_key, api_key.encode(errors="replace"), hashlib.sha256)
        return f"{self.key_id}.{digest.hexdigest()}"


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master_key)


def load_secrets(data_dir: Path, master_key: SecretStr | None) -> Secrets:
    """The secrets of this installation: from the setting, the key file, or a new key file.

    Raises:
        InstallationError: the key is not 32 bytes in hex or base64, or cannot be read or written.
    """
    if master_key is not None:
        return Secrets(parse_key(master_key.get_secret_value(), "SAYSO_MASTER_KEY"))
    path = data_dir / KEY_FILE
    try:
        return Secrets(_read_key(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InstallationError(f"cannot read {path}: {error.strerror}") from error
    return Secrets(_make_key(path))


def parse_key(text: str, source: str) -> bytes:
    """Read a master key written in hex or base64 (either alphabet).

    Raises:
        InstallationError: it is neither, or not 32 bytes long.
    """
    plain = text.strip()
    for read in (bytes.fromhex, _from_base64):
        try:
            key = read(plain)
        except ValueError:
            continue
        if len(key) == KEY_BYTES:
            return key
    raise InstallationError(
        f"the master key in {source} is not {KEY_BYTES} bytes in hex or base64",
        hint=f"Make one with: openssl rand -hex {KEY_BYTES}",
    )


def _from_base64(text: str) -> bytes:
    try:
        ascii_text = text.encode("ascii").replace(b"-", b"+").replace(b"_", b"/")
        return base64.b64decode(ascii_text + b"=" * (-len(ascii_text) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error


def _read_key(path: Path) -> bytes:
    text = path.read_text("utf-8", errors="replace")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        _log.warning("master_key_open", path=str(path), hint=f"Run: chmod 600 {path}")
    return parse_key(text, str(path))


def _make_key(path: Path) -> bytes:
    """Write a new key that only we can read; when somebody else was first, take theirs."""
    key = os.urandom(KEY_BYTES)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        with draft.open("w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if it exists, and never shows half a key
        except FileExistsError:
            return _read_key(path)
        finally:
            draft.unlink()
    except OSError as error:
        raise InstallationError(
            f"cannot write {path}: {error.strerror}",
            hint="Make SAYSO_DATA_DIR a folder this user can write to.",
        ) from error
    return key
