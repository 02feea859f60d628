"""Passports: short-lived signed statements of who calls. They carry no roles."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

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
from clp_contracts.methods import PassportKind
from clp_contracts.refusal import Refused

AUDIENCE: Final = "clp-communications"
ALGORITHM: Final = "EdDSA"
LIFETIME: Final = timedelta(seconds=120)
TOLERANCE: Final = timedelta(seconds=30)
MOST_CACHED: Final = 4096


@dataclass(frozen=True, slots=True)
class Passport:
    """Who calls, checked: a person, the robot or a service."""

    subject: str
    kind: PassportKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, with the kinds and subjects that its holder may vouch for.

    ``subjects`` is None for a holder who may vouch for anybody of its kinds.
    """

    key: Ed25519PublicKey
    kinds: frozenset[PassportKind]
    subjects: frozenset[str] | None = None

    def covers(self, kind: PassportKind, subject: str) -> bool:
        """Whether the holder may make this passport."""
        return kind in self.kinds and (
            self.subjects is None or subject in self.subjects
        )


class Issuer:
    """Makes passports with a private key."""

    def __init__(self, key_id: str, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._key_id = key_id
        self._key = key
        self._clock = clock

    @classmethod
    def from_file(cls, path: Path, clock: Clock) -> Self:
        """Read a PEM key; the file's stem is the key id."""
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{path.name} holds no Ed25519 key")
        return cls(path.stem, key, clock)

    def issue(self, subject: str, kind: PassportKind) -> str:
        """A passport that lives two minutes."""
        at = self._clock()
        claims = {
            "sub": subject,
            "aud": AUDIENCE,
            "kind": kind.value,
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": new_id(),
        }
        return jwt.encode(
            claims, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id}
        )

    def for_service(self, name: str) -> Callable[[], str]:
        """A source of passports of one service."""
        return self.source(name, PassportKind.SERVICE)

    def source(self, subject: str, kind: PassportKind) -> Callable[[], str]:
        """A source of passports; each is used for half its life."""
        held: list[tuple[datetime, str]] = []

        def passport() -> str:
            at = self._clock()
            if not held or held[0][0] <= at:
                fresh = self.issue(subject, kind)
                held[:] = [(at + LIFETIME / 2, fresh)]
            return held[0][1]

        return passport


class Verifier:
    """Checks passports against trusted public keys."""

    def __init__(self, keys: Mapping[str, TrustedKey], clock: Clock) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._checked: dict[str, Passport] = {}

    @classmethod
    def from_file(cls, path: Path, clock: Clock) -> Self:
        """Read the trusted keys: a JSON object, key id to key, kinds and subjects."""
        entries = json.loads(path.read_text())
        return cls({kid: _trusted(entry) for kid, entry in entries.items()}, clock)

    def verify(self, token: object, kinds: frozenset[PassportKind]) -> Passport:
        """The passport, when it is valid now and of a kind the method takes.

        Raises:
            Refused: ``passport.missing``, ``.refused`` or ``.wrong_kind``.
        """
        if not isinstance(token, str) or not token:
            raise Refused("passport.missing")
        passport = self._checked.get(token) or self._check(token)
        if passport.expires_at + TOLERANCE <= self._clock():
            self._checked.pop(token, None)
            raise Refused("passport.refused")
        if passport.kind not in kinds:
            raise Refused("passport.wrong_kind")
        return passport

    def _check(self, token: str) -> Passport:
        try:
            trusted = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                trusted.key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={
                    "require": ["exp", "sub", "aud"],
                    # judged against our own clock, with its tolerance
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            kind = PassportKind(claims["kind"])
            expires_at = datetime.fromtimestamp(claims["exp"], self._clock().tzinfo)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
            raise Refused("passport.refused") from None
        if not trusted.covers(kind, claims["sub"]):
            raise Refused("passport.refused")
        passport = Passport(claims["sub"], kind, expires_at)
        if len(self._checked) >= MOST_CACHED:
            self._checked.clear()
        self._checked[token] = passport
        return passport


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
    """A fresh private key."""
    return Ed25519PrivateKey.generate()


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """A private key as it is kept in a file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> str:
    """A public key as it is listed among the trusted ones."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
