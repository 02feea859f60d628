"""Passports: issuers and subjects, lifetime, and what is refused (T13)."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clp_chassis.security.passports import (
    Issuer,
    Passport,
    TrustedKey,
    Verifier,
    new_key,
)
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANY_KIND = frozenset(PassportKind)
AUDIENCE = "messages"
GATEWAY, SEARCH, STRANGER = new_key(), new_key(), new_key()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(clock: Clock) -> Verifier:
    service = frozenset({PassportKind.SERVICE})
    keys = {
        "gateway": TrustedKey(GATEWAY.public_key(), ANY_KIND),
        "search": TrustedKey(SEARCH.public_key(), service, frozenset({"search"})),
    }
    return Verifier(keys, clock, audience=AUDIENCE)


def claims(**changes: object) -> dict[str, object]:
    at = int(NOON.timestamp())
    good = {"sub": "nat", "aud": AUDIENCE, "kind": "person", "iat": at, "exp": at + 120}
    return {k: v for k, v in (good | changes).items() if v is not None}


def signed(
    by: Ed25519PrivateKey = GATEWAY, kid: str | None = "gateway", **changes: object
) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changes), by, algorithm="EdDSA", headers=headers)


def unsigned() -> str:
    return jwt.encode(claims(), None, algorithm="none", headers={"kid": "gateway"})


def by_shared_secret() -> str:
    return jwt.encode(claims(), "s" * 32, algorithm="HS256", headers={"kid": "gateway"})


REFUSED = [
    ("no passport", lambda: None, "passport.missing"),
    ("an empty one", lambda: "", "passport.missing"),
    ("a number", lambda: 7, "passport.missing"),
    ("not a token", lambda: "nat", "passport.refused"),
    ("signed by a stranger", lambda: signed(STRANGER), "passport.refused"),
    ("of an unknown key", lambda: signed(kid="other"), "passport.refused"),
    ("of no key", lambda: signed(kid=None), "passport.refused"),
    ("a path for a key", lambda: signed(kid="../gateway"), "passport.refused"),
    ("unsigned", unsigned, "passport.refused"),
    ("signed with a shared secret", by_shared_secret, "passport.refused"),
    ("for another service", lambda: signed(aud="search"), "passport.refused"),
    ("for no audience", lambda: signed(aud=None), "passport.refused"),
    ("without an end", lambda: signed(exp=None), "passport.refused"),
    ("without a beginning", lambda: signed(iat=None), "passport.refused"),
    (
        "from the future",
        lambda: signed(iat=int(NOON.timestamp()) + 31),
        "passport.refused",
    ),
    ("with an odd end", lambda: signed(exp=10**20), "passport.refused"),
    ("without a subject", lambda: signed(sub=None), "passport.refused"),
    ("of an unknown kind", lambda: signed(kind="king"), "passport.refused"),
    ("of no kind", lambda: signed(kind=None), "passport.refused"),
    ("ended", lambda: signed(exp=int(NOON.timestamp()) - 31), "passport.refused"),
    (
        "of a person, vouched for by a service",
        lambda: signed(SEARCH, "search"),
        "passport.refused",
    ),
    (
        "of one service, vouched for by another",
        lambda: signed(SEARCH, "search", kind="service", sub="messages"),
        "passport.refused",
    ),
]


@pytest.mark.parametrize(
    ("token", "code"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED]
)
def test_a_passport_is_refused_when_it_is(
    verifier: Verifier, token: object, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        verifier.verify(token(), ANY_KIND)  # type: ignore[operator]
    assert (refused.value.code, refused.value.detail) == (code, {})


def test_a_valid_passport_identifies_the_caller(
    verifier: Verifier, clock: Clock
) -> None:
    token = Issuer("gateway", GATEWAY, clock).issue(
        "nat", PassportKind.PERSON, audience=AUDIENCE
    )
    passport = verifier.verify(token, frozenset({PassportKind.PERSON}))
    assert passport == Passport(
        "nat", PassportKind.PERSON, NOON + timedelta(seconds=120)
    )


def test_a_service_vouches_for_itself(verifier: Verifier, clock: Clock) -> None:
    token = Issuer("search", SEARCH, clock).for_service("search")(AUDIENCE)
    assert verifier.verify(token, ANY_KIND).subject == "search"


def test_a_method_takes_only_its_kinds(verifier: Verifier) -> None:
    with pytest.raises(Refused, match=r"passport\.wrong_kind"):
        verifier.verify(signed(), frozenset({PassportKind.SERVICE}))


def test_a_verified_passport_expires_all_the_same(
    verifier: Verifier, clock: Clock
) -> None:
    token = signed()
    verifier.verify(token, ANY_KIND)
    clock.at = NOON + timedelta(seconds=149)
    verifier.verify(token, ANY_KIND)
    clock.at = NOON + timedelta(seconds=151)
    with pytest.raises(Refused, match=r"passport\.refused"):
        verifier.verify(token, ANY_KIND)


@pytest.mark.parametrize("lifetime_s", [3600, 10**9])
def test_t26_a_passport_is_accepted_for_ten_minutes_whatever_its_issuer_wrote(
    verifier: Verifier, clock: Clock, lifetime_s: int
) -> None:
    token = signed(exp=int(NOON.timestamp()) + lifetime_s)
    clock.at = NOON + timedelta(minutes=10, seconds=29)
    assert verifier.verify(token, ANY_KIND).subject == "nat"
    clock.at = NOON + timedelta(minutes=10, seconds=31)
    with pytest.raises(Refused, match=r"passport\.refused"):
        verifier.verify(token, ANY_KIND)


def test_t26_a_passport_seen_by_one_service_is_refused_by_another(
    clock: Clock,
) -> None:
    keys = {"gateway": TrustedKey(GATEWAY.public_key(), ANY_KIND)}
    passport = Issuer("gateway", GATEWAY, clock).source("nat", PassportKind.PERSON)
    seen_by_search = passport("search")
    Verifier(keys, clock, audience="search").verify(seen_by_search, ANY_KIND)
    messages = Verifier(keys, clock, audience="messages")
    with pytest.raises(Refused, match=r"passport\.refused"):
        messages.verify(seen_by_search, ANY_KIND)
    assert messages.verify(passport("messages"), ANY_KIND).subject == "nat"


def test_a_services_passport_is_renewed_before_it_expires(clock: Clock) -> None:
    fresh = Issuer("search", SEARCH, clock).for_service("search")
    first = fresh(AUDIENCE)
    assert fresh(AUDIENCE) == first
    clock.at = NOON + timedelta(seconds=61)
    assert fresh(AUDIENCE) != first


def test_a_services_passport_is_renewed_when_its_clock_was_ahead(
    verifier: Verifier, clock: Clock
) -> None:
    """One with a time of issue in the future is refused by everybody."""
    passport = Issuer("search", SEARCH, clock).for_service("search")
    clock.at = NOON + timedelta(hours=1)
    passport(AUDIENCE)
    clock.at = NOON
    assert verifier.verify(passport(AUDIENCE), ANY_KIND).subject == "search"
