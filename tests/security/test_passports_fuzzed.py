"""T13: no passport but a signed one is taken, whatever is done to it."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clp_chassis.security.passports import Issuer, TrustedKey, Verifier, new_key
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANY_KIND = frozenset(PassportKind)
KEY = new_key()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="


def verifier() -> Verifier:
    trusted = {"gateway": TrustedKey(KEY.public_key(), ANY_KIND)}
    return Verifier(trusted, lambda: NOON, audience="messages")


def passport(subject: str = "nat") -> str:
    issuer = Issuer("gateway", KEY, lambda: NOON)
    return issuer.issue(subject, PassportKind.PERSON, audience="messages")


def refusal_of(token: str) -> str:
    with pytest.raises(Refused) as refused:
        verifier().verify(token, ANY_KIND)
    assert refused.value.detail == {}
    return refused.value.code


@given(st.data())
def test_a_changed_passport_is_never_taken(data: st.DataObject) -> None:
    token = passport()
    # The last letter of a signature carries bits that no decoder reads.
    position = data.draw(st.integers(0, len(token) - 2))
    letter = data.draw(st.sampled_from(LETTERS))
    assume(letter != token[position])

    changed = token[:position] + letter + token[position + 1 :]

    assert refusal_of(changed) == "passport.refused"


@given(st.permutations(["nat", "ivy", "sam"]))
def test_parts_of_two_passports_make_no_third(whose: list[str]) -> None:
    _, claims, _ = passport(whose[0]).split(".")
    header, _, signature = passport(whose[1]).split(".")

    assert refusal_of(f"{header}.{claims}.{signature}") == "passport.refused"


@given(st.text())
def test_no_text_at_all_is_a_passport(text: str) -> None:
    assert refusal_of(text) in {"passport.refused", "passport.missing"}
