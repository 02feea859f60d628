"""Properties of mentions for every text and directory."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.channels import Channel
from clp_core.mentions import (
    MentionPolicy,
    Mentions,
    Outcome,
    Span,
    lookup_keys_in,
    matches_prefix,
    mentionable_people,
    resolve_mentions,
)
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.people import Person, PersonId
from clp_core.visibility import may_read
from tests.core.mentions import reference_parser
from tests.core.mentions.table import directory
from tests.core.sample_world import (
    BROADCAST,
    NORTH,
    P1,
    PORTAL,
    SOUTH,
    WITH_NORTH,
    WITH_SOUTH,
)

pytestmark = pytest.mark.property

PEOPLE = tuple(directory().values())
IVY, NAT = directory()["ivy"], directory()["nat"]
PLACES = st.sampled_from(
    [(IVY, BROADCAST), (IVY, WITH_NORTH), (IVY, WITH_SOUTH), (NAT, WITH_NORTH)]
)

# Signs, names and whatever matters to a rule, more often than chance would have it.
PIECES = st.one_of(
    st.sampled_from(["@", "＠", " @", " ", "\n", "`", "``", "\n>", "\\", "'s", "’s"]),
    st.sampled_from([*".-'’+_#!", "\u0301", "\u3099", "\u200d", "\ufe0f", "\u20e3"]),
    st.sampled_from(["田", "さ", "ガ", "ｶﾞ", "ﾞ", "가", "\u11a8", "ㄱㅏ", "ก", "ำ", "๒"]),
    st.sampled_from(
        ["a", "é", "ß", "İ", "ς", "я", "م", "क", "ि", "5", "٣", "²", "\xb4"]
    ),
    st.sampled_from(["\u2028", "\x85", "\x1e", "\x1f", "\u3000", "\u00a0", "ﷺ", "😀"]),
    st.sampled_from([person.name for person in PEOPLE]),
    st.sampled_from([f" @{person.name}" for person in PEOPLE]),
    st.sampled_from([f"@{person.email}" for person in PEOPLE]),
    st.sampled_from(["@a@b.c", "@a@b-c", "@田@田.中", "x@y.z", "@a@xn--bcher-kva.b"]),
    st.sampled_from(
        ["\u200b", "\u200f", "\xad", "\u2068", "\ufeff", "ʻ", "ʼ", "＇", "‘"]
    ),
    st.sampled_from(["*", "**", "_", "＿", "-", "‐", "−", "־", "－", ".", "。", "．"]),
    st.sampled_from(["https://", "www.", "WWW.", "://", "、", "）", "「", "”", "…"]),
    st.sampled_from(["ל", "و", "ا\u064e", "-san", "'ll", "-Smith", "’a", ".x", "'s"]),
    st.sampled_from([f"{person.name}-" for person in PEOPLE]),
    st.text(max_size=3),
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)
# Every character, lone surrogates included.
ANY_TEXT = st.text(
    st.characters(codec=None), max_size=60
)  # lone halves of pairs included


def read(
    text: str,
    setting: tuple[Person, Channel] = (IVY, BROADCAST),
    owners: Iterable[Person] = PEOPLE,
) -> Mentions:
    author, channel = setting
    return resolve_mentions(
        text, author=author, channel=channel, project=P1, owners=owners
    )


@given(TEXTS, PLACES)
def test_the_parser_agrees_with_the_reference_parser(
    text: str, setting: tuple[Person, Channel]
) -> None:
    author, channel = setting
    people = mentionable_people(PEOPLE, author=author, channel=channel, project=P1)

    found = [
        (
            o.span.start,
            o.span.end,
            frozenset(p.id for p in (o.candidates or (o.person,)) if p),
        )
        for o in read(text, setting).outcomes
    ]

    assert found == list(reference_parser.handles(text, people))


@given(TEXTS, st.lists(st.tuples(st.integers(-2, 20), st.integers(-2, 20)), max_size=3))
def test_spans_to_skip_are_left_out_and_nothing_else(
    text: str, stretches: list[tuple[int, int]]
) -> None:
    skip = [Span(start, end) for start, end in stretches]
    inside = [(max(0, start), max(0, end)) for start, end in stretches]
    people = mentionable_people(PEOPLE, author=IVY, channel=BROADCAST, project=P1)

    found = resolve_mentions(
        text, author=IVY, channel=BROADCAST, project=P1, owners=PEOPLE, skip=skip
    )

    assert [(o.span.start, o.span.end) for o in found.outcomes] == [
        (start, end) for start, end, _ in reference_parser.handles(text, people, inside)
    ]


@given(ANY_TEXT)
def test_no_text_is_too_odd(text: str) -> None:
    assert read(text).decision
    assert all(isinstance(key, str) for key in lookup_keys_in(text))


@given(st.one_of(TEXTS, ANY_TEXT), PLACES)
def test_spans_are_in_order_apart_and_within_the_text(
    text: str, setting: tuple[Person, Channel]
) -> None:
    done = 0
    for found in read(text, setting).outcomes:
        span = found.span
        assert done <= span.start < span.end - 1 < len(text)
        assert text[span.start] in "@＠"
        assert text[span.start + 1 : span.end] == found.handle
        assert not found.handle[-1].isspace()
        done = span.end


@given(TEXTS, PLACES)
def test_a_space_at_the_end_changes_nothing(
    text: str, setting: tuple[Person, Channel]
) -> None:
    assert read(f"{text} ", setting) == read(text, setting)
    assert lookup_keys_in(f"{text} ") == lookup_keys_in(text)


@given(
    TEXTS, PLACES, st.lists(PIECES, max_size=4), st.sampled_from(["", "out", "gone"])
)
def test_people_whom_the_author_may_not_see_change_nothing(
    text: str, setting: tuple[Person, Channel], names: list[str], how: str
) -> None:
    author, channel = setting
    hidden = [
        Person(
            id=PersonId(f"hidden{number}"),
            name=name.strip("@ "),
            email=f"{name.strip('@ ')}@hidden.example",
            partner=SOUTH if author is NAT or channel.partner == NORTH else NORTH,
            roles=frozenset() if how == "out" else PORTAL,
            active=how != "gone",
        )
        for number, name in enumerate([*names, *text.replace("＠", "@").split("@")])
    ]
    unseen = [p for p in hidden if not may_read(p, channel, P1)]

    assert read(text, setting, [*unseen, *PEOPLE]) == read(text, setting)


@given(TEXTS, PLACES)
def test_only_the_owners_of_the_keys_matter(
    text: str, setting: tuple[Person, Channel]
) -> None:
    keys = lookup_keys_in(text)
    owners = [
        person
        for person in PEOPLE
        if name_key(person.name) in keys or address_key(person.email) in keys
    ]

    assert read(text, setting, owners) == read(text, setting)


@given(TEXTS, PLACES)
def test_whoever_is_mentioned_may_read_it_and_is_told_once(
    text: str, setting: tuple[Person, Channel]
) -> None:
    author, channel = setting
    found = read(text, setting)

    told = [o.person for o in found.outcomes if o.outcome is Outcome.MENTIONED]
    assert len(told) == len(set(told))
    assert found.people == frozenset(told)
    for outcome in found.outcomes:
        people = [p for p in (outcome.person, *outcome.candidates) if p]
        assert all(may_read(person, channel, P1) for person in people)
        assert (outcome.outcome is Outcome.SELF) == (outcome.person == author)
        assert (outcome.outcome is Outcome.AMBIGUOUS) == (len(people) > 1)
        assert (outcome.outcome is Outcome.UNKNOWN) == (not people)


@given(TEXTS, st.permutations(PEOPLE))
def test_the_order_of_the_owners_does_not_matter(
    text: str, owners: list[Person]
) -> None:
    assert read(text, owners=owners) == read(text)


@given(st.one_of(TEXTS, ANY_TEXT))
def test_a_key_is_the_key_of_itself(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
    assert address_key(address_key(text)) == address_key(text)


@given(TEXTS, st.integers(1, 12))
def test_a_limit_leaves_out_the_longer_names_and_nothing_else(
    text: str, longest: int
) -> None:
    keys = lookup_keys_in(text)
    limited = lookup_keys_in(text, policy=MentionPolicy(max_name_length=longest))

    assert limited <= keys
    assert {key for key in keys if "@" not in key and len(key) <= longest} == {
        key for key in limited if "@" not in key
    }


@given(TEXTS)
def test_every_key_is_short_and_in_its_final_form(text: str) -> None:
    for key in lookup_keys_in(text):
        assert 0 < len(key) <= 320
        assert key in (name_key(key), address_key(key))


INVISIBLE_SIGNS = [
    "\xad", "\u061c", *map(chr, range(0x200B, 0x2010)), "\u2060",
    *map(chr, range(0x2066, 0x206A)), "\ufeff",
]  # fmt: skip
LOOKALIKES = ["'’‘ʼʻ＇", "-‐‑－﹣−"]


def changed(text: str, changes: list[tuple[float, str]]) -> str:
    """A text with signs inserted at these fractions of its length."""
    for fraction, sign in changes:
        at = round(fraction * len(text))
        text = text[:at] + sign + text[at:]
    return text


def ids_of(mentions: Mentions) -> list[list[str]]:
    return [
        [p.id for p in (o.candidates or (o.person,)) if p] for o in mentions.outcomes
    ]


@given(
    TEXTS,
    PLACES,
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(INVISIBLE_SIGNS)), max_size=6),
)
def test_invisible_signs_change_nobody(
    text: str, setting: tuple[Person, Channel], changes: list[tuple[float, str]]
) -> None:
    other = changed(text, changes)
    plain = text.translate({ord(sign): None for sign in INVISIBLE_SIGNS})

    assert ids_of(read(other, setting)) == ids_of(read(text, setting))
    for outcome in read(other, setting).outcomes:
        written = other[outcome.span.start : outcome.span.end]
        assert written.translate({ord(sign): None for sign in INVISIBLE_SIGNS}) in plain
        assert written[0] in "@＠"
        assert written[-1] not in INVISIBLE_SIGNS


@given(TEXTS, PLACES, st.randoms(use_true_random=False))
def test_look_alike_signs_change_nobody(
    text: str, setting: tuple[Person, Channel], chance: Random
) -> None:
    other = "".join(
        next((chance.choice(alike) for alike in LOOKALIKES if c in alike), c)
        for c in text
    )

    assert ids_of(read(other, setting)) == ids_of(read(text, setting))
    assert [o.span for o in read(other, setting).outcomes] == [
        o.span for o in read(text, setting).outcomes
    ]


@given(
    st.sampled_from(PEOPLE),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(INVISIBLE_SIGNS)), max_size=4),
    st.randoms(use_true_random=False),
)
def test_autocomplete_looks_through_the_same_signs(
    person: Person, changes: list[tuple[float, str]], chance: Random
) -> None:
    typed = changed(person.name[: chance.randrange(len(person.name)) + 1], changes)
    typed = typed.replace("'", chance.choice(LOOKALIKES[0]))

    assert matches_prefix(person, typed)
