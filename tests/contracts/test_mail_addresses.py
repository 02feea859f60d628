"""The one check of mail addresses: verdicts, wire form, bounded time."""

import time

import pytest

from clp_contracts.mail_addresses import is_mail_address, parse_mail_address
from tests.cases.loading import HostileCase, hostile_cases

ACCEPTED = {
    "a plain one": "dana@partner.example",
    "with a tag": "dana+clp@partner.example",
    "with capitals": "Dana@Partner.Example",
    "with an apostrophe": "o'brien@partner.example",
    "a percent sign, which nobody decodes": "dana%evil.example@partner.example",
    "an international domain": "dana@bücher.example",
    "its wire form": "dana@xn--bcher-kva.example",
    "a look-alike domain, its own by its wire form": "dana@p\u0430rtner.example",
    "an international mailbox": "däna@partner.example",
    "a decomposed letter": "da\u0308na@partner.example",
    "another script throughout": "田中@例え.テスト",
    "a reserved domain, told apart when mail is sent": "dana@nowhere.invalid",
    "a test domain": "dana@studio.test",
    "64 octets before the sign": f"{'l' * 64}@partner.example",
    "254 octets in all": f"{'l' * 64}@{'d' * 61}.{'e' * 61}.{'f' * 57}.example",
}

REFUSED = {
    "nothing": "",
    "a word": "dana",
    "no at-sign": "dana.partner.example",
    "two at-signs": "dana@evil.example@partner.example",
    "nothing before the sign": "@partner.example",
    "nothing after the sign": "dana@",
    "two dots": "dana..k@partner.example",
    "a dot first": ".dana@partner.example",
    "a dot before the sign": "dana.@partner.example",
    "a dot last": "dana@partner.example.",
    "a line break and a command": "dana@partner.example\r\nRCPT TO:<x@evil.example>",
    "a line break last": "dana@partner.example\n",
    "a bracket and an argument": "dana@partner.example> NOTIFY=NEVER",
    "a second address": "dana@partner.example>, <thief@evil.example",
    "a second address after a comma": "dana@partner.example,thief@evil.example",
    "a name around it": "Dana <dana@partner.example>",
    "a comment": "dana(x)@partner.example",
    "quotes": '"dana"@partner.example',
    "quotes that hide a sign": '"dana@evil.example"@partner.example',
    "an option of a mailer": "-oQ/tmp/x@partner.example",
    "a vertical tab": "dana\u000b@partner.example",
    "a NUL": "dana\0@partner.example",
    "a space": "da na@partner.example",
    "a no-break space": "dana\u00a0@partner.example",
    "a zero-width space": "dana\u200b@partner.example",
    "a soft hyphen": "dana@par\u00adtner.example",
    "an override": "dana@partner.example\u202e",
    "half a surrogate pair": "dana\ud800@partner.example",
    "a full-width sign": "dana\uff20partner.example",
    "full-width letters": "dana@\uff50artner.example",
    "a ligature": "\ufb01ona@partner.example",
    "an ideographic dot": "dana@partner\u3002example",
    "an encoded word": "=?utf-8?q?dana?=@partner.example",
    "65 octets before the sign": f"{'l' * 65}@partner.example",
    "66 octets in 33 letters": f"{'ä' * 33}@partner.example",
    "255 octets in all": f"{'l' * 64}@{'d' * 61}.{'e' * 61}.{'f' * 58}.example",
    "a host without a domain": "dana@localhost",
    "an address of a machine": "dana@[127.0.0.1]",
    "the same without brackets": "dana@127.0.0.1",
    "an underscore in the domain": "dana@part_ner.example",
    "a hyphen first in the domain": "dana@-partner.example",
    "an empty label": "dana@partner..example",
}


@pytest.mark.parametrize("address", ACCEPTED.values(), ids=ACCEPTED)
def test_an_address_is_accepted_with(address: str) -> None:
    assert is_mail_address(address)


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_an_address_is_refused_with(address: str) -> None:
    assert not is_mail_address(address)


@pytest.mark.parametrize("text", ["@", "a@", "a.", "é", '"', "\ud800"])
def test_a_megabyte_of_anything_is_refused_at_once(text: str) -> None:
    accepted, seconds = judged(text * 1_048_576)
    assert not accepted
    assert seconds < 0.02


@pytest.mark.parametrize(
    "case", hostile_cases("address"), ids=[c.id for c in hostile_cases("address")]
)
def test_a_hostile_address_gets_the_verdict_of_its_row(case: HostileCase) -> None:
    accepted, seconds = judged(case.value)
    assert accepted is not case.expect.startswith("reject")
    assert seconds < 0.02


def judged(text: str) -> tuple[bool, float]:
    """Return the verdict and the shortest of three CPU times."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        accepted = is_mail_address(text)
        times.append(time.process_time() - begun)
    return accepted, min(times)


def test_a_local_part_is_composed_and_a_domain_is_in_a_labels() -> None:
    address = parse_mail_address("da\u0308na@B\u00fccher.example")
    assert str(address) == "d\u00e4na@xn--bcher-kva.example"
    assert address.needs_smtputf8


@pytest.mark.parametrize(
    ("address", "deliverable"),
    [
        ("dana@studio.example", True),
        ("dana@nowhere.invalid", False),
        ("d@a.test", False),
    ],
)
def test_a_reserved_domain_is_well_formed_and_not_deliverable(
    address: str,
    deliverable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert parse_mail_address(address).is_deliverable is deliverable
