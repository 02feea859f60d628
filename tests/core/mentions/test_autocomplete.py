"""What is offered while a name is being typed."""

from dataclasses import replace

import pytest

from clp_core.mentions import (
    MatchField,
    matches_prefix,
    prefix_entries,
    prefix_rank,
    search_key,
)
from tests.core.sample_world import IAN, IVY, NAT, NIA


@pytest.mark.parametrize(
    ("name", "typed", "field"),
    [
        pytest.param("Nat Moreau", "n", MatchField.NAME, id="the first letter"),
        pytest.param("Nat Moreau", "NAT", MatchField.NAME, id="capitals"),
        pytest.param(
            "Nat Moreau", "nat m", MatchField.NAME, id="on into the second word"
        ),
        pytest.param("Nat Moreau", "nat  m", MatchField.NAME, id="with two spaces"),
        pytest.param("Nat Moreau", " nat", MatchField.NAME, id="a space before"),
        pytest.param("Nat Moreau", "nat moreau", MatchField.NAME, id="all of it"),
        pytest.param("Nat Moreau", "", MatchField.NAME, id="nothing yet"),
        pytest.param(
            "Nat Moreau", "mor", MatchField.WORD_OF_NAME, id="the second word"
        ),
        pytest.param(
            "Nat de la Tour", "la to", MatchField.WORD_OF_NAME, id="the third"
        ),
        pytest.param("Mary-Jane", "jane", MatchField.WORD_OF_NAME, id="after a hyphen"),
        pytest.param(
            "O'Connor", "con", MatchField.WORD_OF_NAME, id="after an apostrophe"
        ),
        pytest.param(
            "night_owl", "owl", MatchField.WORD_OF_NAME, id="after an underscore"
        ),
        pytest.param("Max (Sound)", "sound", MatchField.WORD_OF_NAME, id="in brackets"),
        pytest.param("José Núñez", "jose nu", MatchField.NAME, id="accents left out"),
        pytest.param("Jose Nunez", "josé", MatchField.NAME, id="accents put in"),
        pytest.param("Jose\u0301", "jose", MatchField.NAME, id="combining marks"),
        pytest.param("Łukasz", "luk", MatchField.NAME, id="a stroke left out"),
        pytest.param("Øyvind", "oy", MatchField.NAME, id="another"),
        pytest.param("Đỗ", "do", MatchField.NAME, id="a stroke and two accents"),
        pytest.param("Guðrún", "gudrun", MatchField.NAME, id="eth"),
        pytest.param("Ħal", "hal", MatchField.NAME, id="a Maltese letter"),
        pytest.param("Æsa", "aes", MatchField.NAME, id="a ligature"),
        pytest.param("Œdipe", "oed", MatchField.NAME, id="another ligature"),
        pytest.param("Işıl", "isil", MatchField.NAME, id="Turkish letters"),
        pytest.param("İpek", "ipek", MatchField.NAME, id="a dotted capital"),
        pytest.param("Straße", "strasse", MatchField.NAME, id="sharp s"),
        pytest.param("Ёлкина", "елк", MatchField.NAME, id="Cyrillic"),
        pytest.param("Νίκος", "νικοσ", MatchField.NAME, id="Greek"),
        pytest.param("نُعْمَى", "نعمى", MatchField.NAME, id="Arabic without vowel marks"),
        pytest.param("נוֹעה", "נועה", MatchField.NAME, id="Hebrew without points"),
        pytest.param("田中太郎", "田", MatchField.NAME, id="Han"),
        pytest.param(
            "田中太郎", "中", MatchField.WORD_OF_NAME, id="the second Han letter"
        ),
        pytest.param("田中太郎", "太", MatchField.WORD_OF_NAME, id="amid Han"),
        pytest.param("Mike田中", "田", MatchField.WORD_OF_NAME, id="Han after Latin"),
        pytest.param("田中Mike", "mik", MatchField.WORD_OF_NAME, id="Latin after Han"),
        pytest.param("ガイ", "ｶﾞ", MatchField.NAME, id="kana of half width"),
        pytest.param("สมชาย", "ชาย", MatchField.WORD_OF_NAME, id="amid Thai"),
        pytest.param("Ｎｏｖａ", "nova", MatchField.NAME, id="wide letters"),
        pytest.param("Zed", "per", MatchField.ADDRESS, id="the address"),
        pytest.param("Zed", "person@x", MatchField.ADDRESS, id="beyond its sign"),
        pytest.param("Zed", "person@x。e", MatchField.ADDRESS, id="its other dot"),
        pytest.param("Zed", "PERSON@X.EXAMPLE", MatchField.ADDRESS, id="all of it"),
        pytest.param(
            "a_% b", "a_%", MatchField.NAME, id="marks of patterns, taken literally"
        ),
    ],
)
def test_these_offer_somebody(name: str, typed: str, field: MatchField) -> None:
    someone = replace(NAT, name=name, email="person@x.example")

    rank = prefix_rank(someone, typed)

    assert rank is not None
    assert rank[0] is field
    assert matches_prefix(someone, typed)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        pytest.param("Nat Moreau", "at", id="the middle of a word"),
        pytest.param("Nat Moreau", "oreau", id="of the second word"),
        pytest.param("Nat Moreau", "natm", id="a space left out"),
        pytest.param("Nat Moreau", "nat moreaus", id="more than there is"),
        pytest.param("Nat Moreau", "example", id="the end of the address"),
        pytest.param("Nat Moreau", "@nat", id="a sign"),
        pytest.param("Nat Moreau", "a_%", id="wildcards"),
        pytest.param("Nat Moreau", "%", id="one that would be everybody"),
        pytest.param("Nat Moreau", "_at", id="one that would be a letter"),
        pytest.param("Nat Moreau", "n.t", id="a pattern"),
        pytest.param("ガイ", "カ", id="voicing is no accent"),
        pytest.param("रवि", "रवा", id="a vowel sign is no accent"),
        pytest.param("สมค้า", "สมคา", id="a Thai tone is no accent"),
    ],
)
def test_these_offer_nobody(name: str, typed: str) -> None:
    someone = replace(NAT, name=name, email="person@x.example")

    assert prefix_rank(someone, typed) is None
    assert not matches_prefix(someone, typed)


def test_better_places_come_first_then_names_then_addresses() -> None:
    ann = replace(IVY, name="Ann", email="b@x.example")
    ann_too = replace(IAN, name="ANN", email="a@x.example")
    anna = replace(NIA, name="Anna", email="c@x.example")
    leann = replace(NAT, name="Lea Ann", email="d@x.example")
    other = replace(NAT, name="Zed", email="ann@x.example")
    people = [other, leann, anna, ann, ann_too]

    ranked = sorted(people, key=lambda person: prefix_rank(person, "ann") or ())

    assert ranked == [ann_too, ann, anna, leann, other]


def test_a_rank_holds_the_whole_name_and_the_address() -> None:
    assert prefix_rank(NAT, "mor") == (
        MatchField.WORD_OF_NAME,
        "nat moreau",
        "nat@north.example",
    )


def test_a_name_is_not_a_later_word_of_itself() -> None:
    assert prefix_entries("Jr.", "x") == (
        (MatchField.NAME, "jr."),
        (MatchField.ADDRESS, "x"),
    )


def test_a_person_has_a_beginning_for_each_word() -> None:
    assert prefix_entries("Mary-Jane Watts", "Mary@X.example") == (
        (MatchField.NAME, "mary-jane watts"),
        (MatchField.WORD_OF_NAME, "jane watts"),
        (MatchField.WORD_OF_NAME, "watts"),
        (MatchField.ADDRESS, "mary@x.example"),
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("  Zoë   O'HARA ", "zoe o'hara", id="case, spaces and accents"),
        pytest.param("क़लम", "क\u093cलम", id="a nukta stays"),
        pytest.param("क्या", "क्या", id="a virama stays"),
        pytest.param("가", "가", id="Hangul stays in one piece"),
        pytest.param("ガ", "ガ", id="voicing stays in one piece"),
        pytest.param("ḱ\u0323", "k", id="accents above and below"),
        pytest.param("α\u0345", "αι", id="an iota below is a letter"),
        pytest.param("d\u0360d", "dd", id="an accent over two letters"),
        pytest.param(
            "\u05d0\u05b0\u05c1", "\u05d0", id="the first and a late Hebrew point"
        ),
        pytest.param("\u0627\u064b\u0670", "\u0627", id="Arabic marks"),
        pytest.param("\u0710\u0711", "\u0710", id="the last of the points"),
        pytest.param("\u0915\u0952", "\u0915", id="a Vedic accent"),
    ],
)
def test_what_is_compared_while_typing(text: str, key: str) -> None:
    assert search_key(text) == key
