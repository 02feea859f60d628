"""What names and addresses are compared by."""

import pytest

from clp_core.mentions.lookup_keys import address_key, folded, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Nat Moreau", "NAT moreau", id="case"),
        pytest.param("Nat Moreau", "  Nat \t\u3000 Moreau\n", id="spaces"),
        pytest.param("José", "JOSE\u0301", id="combining marks"),
        pytest.param("Straße", "STRASSE", id="sharp s"),
        pytest.param("Νίκος", "ΝΊΚΟΣ", id="sigma"),
        pytest.param("Nova", "Ｎｏｖａ", id="width"),
        pytest.param("fi", "ﬁ", id="ligatures"),
        pytest.param("H\u0331", "ẖ", id="a letter composed only when small"),
        pytest.param("\u1fb4", "\u03b1\u0301\u0345", id="an iota below"),
        pytest.param("가", "\u1100\u1161", id="Hangul in its parts"),
        pytest.param("Anna-Lena", "Anna‐Lena", id="hyphens"),
        pytest.param("Nat", "Nat\u200b", id="marks of no width"),
        pytest.param("O'Connor", "O’Connor", id="apostrophes"),
    ],
)
def test_these_names_are_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("José", "Jose", id="accents"),
        pytest.param("NatMoreau", "Nat Moreau", id="a space"),
        pytest.param("Mike", "Mіke", id="letters that look alike"),
        pytest.param("ipek", "İpek", id="dotted i"),
        pytest.param("カ", "ガ", id="voicing"),
    ],
)
def test_these_names_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("nat@north.example", " NAT@North.EXAMPLE ", id="case and spaces"),
        pytest.param("jörg@x.example", "JO\u0308RG@x.example", id="combining marks"),
        pytest.param("a@bücher.example", "a@XN--BCHER-KVA.example", id="ASCII form"),
        pytest.param("a@例子.公司", "a@xn--fsqu00a.xn--55qx5d", id="of each label"),
        pytest.param("a@b@bücher.x", "a@b@xn--bcher-kva.x", id="two signs"),
        pytest.param("a@例子.公司", "a@例子。公司", id="an ideographic full stop"),
        pytest.param("a@例子.公司", "a@例子｡公司", id="one of half width"),
        pytest.param("a@x.y", "ａ＠ｘ．ｙ", id="width"),
    ],
)
def test_these_addresses_are_one(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("xn--bcher-kva@x.example", id="on the left"),
        pytest.param("a@xn--.example", id="without anything after it"),
        pytest.param("a@xn--north-.example", id="plain letters in disguise"),
        pytest.param("a@xn--a\u2028.example", id="not ASCII"),
        pytest.param("a@xn--99999999.example", id="beyond Unicode"),
        pytest.param(f"a@xn--{'a' * 60}.example", id="a label of 64"),
        pytest.param("a@axn--bcher-kva.example", id="not at the start of the label"),
        pytest.param("no sign at all", id="no address"),
        pytest.param("a@b@c", id="two signs"),
        pytest.param("", id="nothing"),
    ],
)
def test_these_addresses_stay_as_they_are(address: str) -> None:
    assert address_key(address) == address


def test_a_label_of_63_is_read() -> None:
    label = "xn--" + "a" * 55 + "-4ya"

    assert len(label) == 63
    assert not address_key(f"a@{label}.example").isascii()


def test_a_spoken_label_is_folded_too() -> None:
    capital = "xn--" + "BÜCHER".encode("punycode").decode().lower()

    assert address_key(f"a@{capital}.example") == address_key("a@bücher.example")


def test_folding_leaves_spaces_alone() -> None:
    assert folded(" A  B ") == " a  b "
    assert folded(" Ä  B ") == " ä  b "
