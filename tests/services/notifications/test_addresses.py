"""Every hostile address gets its verdict when it is mailed to, in bounded time."""

import time

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from clp_notifications.mail.addresses import BadAddress, address_of
from tests.cases.loading import HostileCase, hostile_cases
from tests.services.notifications.mail_builders import checked, mailed, reader

ON_THE_WIRE = {
    "address-035": "dana@xn--bcher-kva.example",
    "address-036": "dana@xn--prtner-3nf.example",
}


def is_accepted(case: HostileCase) -> bool:
    return case.expect.startswith("accept")


@pytest.mark.parametrize(
    "case", hostile_cases("address"), ids=lambda case: f"{case.id} {case.name}"
)
def test_each_hostile_address_gets_its_verdict(case: HostileCase) -> None:
    began = time.process_time()
    if is_accepted(case):
        address = address_of(case.value)
        assert str(address) == ON_THE_WIRE.get(case.id, case.value)
        checked(mailed(reader=reader(email=case.value)))
    else:
        with pytest.raises(BadAddress) as refused:
            address_of(case.value)
        wanted = (
            "undeliverable"
            if case.expect.startswith("suppress")
            else "address_malformed"
        )
        assert refused.value.reason == wanted
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    "value",
    [
        "a@b",
        "a@-b.example",
        "a@b..example",
        "a@xn--a.example",
        "a b@c.example",
        "a@b.example ",
        "a@[127.0.0.1]",
        "(x)a@b.example",
        "d\udc00@b.example",
        "a@ｂ.example",
        "",
    ],
)
def test_an_ambiguous_address_is_refused(value: str) -> None:
    with pytest.raises(BadAddress):
        address_of(value)


def test_only_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    assert address_of("däna@partner.example").needs_smtputf8
    assert not address_of("dana@bücher.example").needs_smtputf8


ATEXT = "abzAZ019!#$%&'*+/=?^_`{|}~-"


# Dots matter most; as one character among many there would be too few.
SIGNS = st.one_of(st.sampled_from(ATEXT), st.just("."))


@given(signs=st.lists(SIGNS, min_size=1, max_size=70))
def test_a_plain_local_part_needs_no_second_opinion(signs: list[str]) -> None:
    value = f"{''.join(signs)}@north.example"
    try:
        address_of(value)
    except BadAddress:
        return
    validate_email(value, check_deliverability=False, test_environment=True)
