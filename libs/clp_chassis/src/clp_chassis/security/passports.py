"""Passports: short-lived signed statements of who calls one service. No roles.

Keys can be rotated while everything runs: several may be trusted for one name, and the
trusted keys and a process's own are reloaded when their files change.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Generic, Self, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from clp_chassis.clock import Clock, new_id
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind

log = logging.getLogger(__name__)

T = TypeVar("T")

ALGORITHM: Final = "EdDSA"
LIFETIME: Final = timedelta(seconds=120)
# No passport is accepted for longer, whatever its issuer wrote.
MAX_LIFETIME: Final = timedelta(minutes=10)
CLOCK_TOLERANCE: Final = timedelta(seconds=30)
MAX_CACHED: Final = 4096
MAKE_KEYS: Final = "`python -m clp_deploy.keys FOLDER` makes the keys of all services"
RELOAD_INTERVAL: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Passport:
    """A verified caller: a person or a service."""

    subject: str
    kind: PassportKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, with the kinds and subjects that its holder may vouch for.

    ``subjects`` is None for a holder who may vouch for every subject of its kinds.
    """

    key: Ed25519PublicKey
    kinds: frozenset[PassportKind]
    subjects: frozenset[str] | None = None

    def covers(self, kind: PassportKind, subject: str) -> bool:
        """Whether the holder may make this passport."""
        return kind in self.kinds and (
            self.subjects is None or subject in self.subjects
        )


class UnusableKey(ValueError):
    """A file of keys is missing or damaged; the text names it, and what makes one."""


class _ReloadingFile(Generic[T]):
    """The parsed content of a file, reloaded when the file changes."""

    def __init__(self, path: Path, read: Callable[[Path], T], clock: Clock) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        try:
            self._seen = _stat_of(path)
            self._value = read(path)
        except OSError as error:
            raise UnusableKey(f"{path}: {error.strerror}; {MAKE_KEYS}") from None
        except (ValueError, TypeError, KeyError) as error:
            reason = error if isinstance(error, TypeError) else "is damaged"
            raise UnusableKey(f"{path}: {reason}; {MAKE_KEYS}") from None
        self._reload_at = clock() + RELOAD_INTERVAL

    def __call__(self) -> T:
        at = self._clock()
        # Reload at the usual interval also after the clock was set back.
        if not self._reload_at - RELOAD_INTERVAL <= at < self._reload_at:
            self._reload_at = at + RELOAD_INTERVAL
            self._reload()
        return self._value

    def _reload(self) -> None:
        try:
            if (state := _stat_of(self._path)) != self._seen:
                self._value = self._read(self._path)
                self._seen = state
        except (OSError, ValueError, TypeError, KeyError) as error:
            # Half a file, or none for a moment: the last good content stays in force.
            log.error("%s cannot be read: %s", self._path.name, type(error).__name__)  # noqa: TRY400 - a trace could show a key


def _stat_of(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


@dataclass(frozen=True, slots=True)
class _CachedPassport:
    issued_at: datetime
    key_id: str
    token: str


class Issuer:
    """Make passports with a private key."""

    def __init__(self, key_id: str, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._own: Callable[[], tuple[str, Ed25519PrivateKey]] = lambda: (key_id, key)
        self._clock = clock

    @classmethod
    def from_file(cls, path: Path, clock: Clock) -> Self:
        """Use the PEM key of a file; a changed file changes the key."""
        own = _ReloadingFile(path, _own_key, clock)
        issuer = cls(*own(), clock)
        issuer._own = own
        return issuer

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that verifies its passports."""
        return self._own()[1].public_key()

    def issue(self, subject: str, kind: PassportKind, *, audience: str) -> str:
        """Return a passport for one service that is valid for two minutes."""
        at = self._clock()
        key_id, key = self._own()
        claims = {
            "sub": subject,
            "aud": audience,
            "kind": kind.value,
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": new_id(),
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})

    def for_service(self, name: str) -> Callable[[str], str]:
        """Return a source of passports of one service."""
        return self.source(name, PassportKind.SERVICE)

    def source(self, subject: str, kind: PassportKind) -> Callable[[str], str]:
        """Return a function that gives, for the name of a service, a passport for it.

        Each passport is reused for half its lifetime.
        """
        cached: dict[str, _CachedPassport] = {}

        def passport(audience: str) -> str:
            at, (key, _) = self._clock(), self._own()
            found = cached.get(audience)
            # One issued while the clock was ahead is from the future: all refuse it.
            if (
                found is None
                or found.key_id != key
                or not found.issued_at <= at < found.issued_at + LIFETIME / 2
            ):
                token = self.issue(subject, kind, audience=audience)
                found = _CachedPassport(at, key, token)
                cached[audience] = found
            return found.token

        return passport


class Verifier:
    """Verify passports for one service, its audience, with trusted public keys."""

    def __init__(
        self, keys: Mapping[str, TrustedKey], clock: Clock, *, audience: str
    ) -> None:
        self._trusted: Callable[[], Mapping[str, TrustedKey]] = lambda: keys
        self._clock = clock
        self._audience = audience
        self._checked: dict[str, Passport] = {}
        self._checked_with: Mapping[str, TrustedKey] = keys

    @classmethod
    def from_file(cls, path: Path, clock: Clock, *, audience: str) -> Self:
        """Trust the keys of a file: a JSON object, key id to key, kinds and subjects.

        A changed file takes effect within seconds, also for passports seen before.
        """
        trusted = _ReloadingFile(path, _trusted_keys, clock)
        verifier = cls(trusted(), clock, audience=audience)
        verifier._trusted = trusted
        return verifier

    def verify(self, token: object, kinds: frozenset[PassportKind]) -> Passport:
        """Return the passport, if it is valid now and of a kind the method takes.

        Raises:
            Refused: ``passport.missing``, ``.refused`` or ``.wrong_kind``.
        """
        if not isinstance(token, str) or not token:
            raise Refused("passport.missing")
        if (trusted := self._trusted()) is not self._checked_with:
            self._checked.clear()
            self._checked_with = trusted
        passport = self._checked.get(token) or self._check(token)
        if passport.expires_at + CLOCK_TOLERANCE <= self._clock():
            self._checked.pop(token, None)
            raise Refused("passport.refused")
        if passport.kind not in kinds:
            raise Refused.because("passport.wrong_kind", kinds=sorted(kinds))
        return passport

    def _check(self, token: str) -> Passport:
        try:
            trusted = self._checked_with[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                trusted.key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                options={
                    "require": ["exp", "iat", "sub", "aud"],
                    # checked below, with our clock and tolerance
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            kind = PassportKind(claims["kind"])
            at = self._clock()
            issued_at = datetime.fromtimestamp(claims["iat"], at.tzinfo)
            expires_at = datetime.fromtimestamp(claims["exp"], at.tzinfo)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
            raise Refused("passport.refused") from None
        if not trusted.covers(kind, claims["sub"]) or issued_at - CLOCK_TOLERANCE > at:
            raise Refused("passport.refused")
        expires_at = min(expires_at, issued_at + MAX_LIFETIME)
        passport = Passport(claims["sub"], kind, expires_at)
        if len(self._checked) >= MAX_CACHED:
            self._checked.clear()
        self._checked[token] = passport
        return passport


def key_id(name: str, key: Ed25519PublicKey) -> str:
    """Return the id of a key: its holder's name and a hash of the key."""
    return f"{name}-{hashlib.sha256(key.public_bytes_raw()).hexdigest()[:12]}"


def _own_key(path: Path) -> tuple[str, Ed25519PrivateKey]:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("holds no Ed25519 key")
    return key_id(path.stem, key.public_key()), key


def _trusted_keys(path: Path) -> dict[str, TrustedKey]:
    entries = json.loads(path.read_text())
    if not isinstance(entries, dict):
        raise TypeError("is no JSON object")
    return {kid: _trusted(entry) for kid, entry in entries.items()}


def _trusted(entry: Mapping[str, object]) -> TrustedKey:
    key = load_pem_public_key(str(entry["public_key"]).encode())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("a trusted key is not an Ed25519 key")
    subjects = entry.get("subjects")
    return TrustedKey(
        key,
        frozenset(PassportKind(kind) for kind in _strings(entry["kinds"])),
        None if subjects is None else frozenset(_strings(subjects)),
    )


def _strings(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return [str(item) for item in value]


def new_key() -> Ed25519PrivateKey:
    """Return a new private key."""
    return Ed25519PrivateKey.generate()


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """Return a private key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> str:
    """Return a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
