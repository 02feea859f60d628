"""Rule 21: the work grows with the text, and not with the directory.

Work is counted, not timed: every Python and C call while a text is parsed.
"""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from clp_core.mentions import lookup_keys_in, resolve_mentions
from clp_core.people import Person
from tests.core.sample_world import BROADCAST, IVY, NAT, P1, person

TEXTS = {
    "signs": "@",
    "signs and letters": "@a",
    "handles": "@a ",
    "names": "@Nat Moreau ",
    "names with two spaces": "@Nat  Moreau ",
    "names of letters made two": "@ß ß ",
    "almost addresses": "@a@a.a@",
    "addresses": "@a@b.c ",
    "Han handles": "@田",
    "Han addresses": "@田@田.田",
    "Han": "田",
    "dots": "a.",
    "possessives": "@a's ",
    "backticks": "`",
    "code": "`@a` ",
    "open code": "` \n",
    "quotations": "\n> @a",
    "marks": "a\u0301",
    "marks before signs": "\u0301@a",
    "stops before signs": "é.@a",
    "spaces": " ",
    "hyphens": "a--",
    "line breaks": "@a\n",
    "emoji": "@a😀",
}
PARTS = 400
pytestmark = pytest.mark.property


def calls_made(work: Callable[[], object], to: str = "") -> int:
    """Count the calls made by `work`: all, or those to one function."""
    made = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        if to:
            made += event == "call" and frame.f_code.co_name == to
        else:
            made += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        _ = work()
    finally:
        sys.setprofile(before)
    return made


@pytest.mark.parametrize("part", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("start", ["", "@", "@a@", "`", "> "])
def test_twice_the_text_is_twice_the_work(part: str, start: str) -> None:
    once, twice = start + part * PARTS, start + part * PARTS * 2

    def read(text: str) -> object:
        return resolve_mentions(
            text, author=IVY, channel=BROADCAST, project=P1, owners=[NAT]
        )

    read(twice)  # whatever is kept for later is kept now
    assert calls_made(lambda: read(twice)) <= 2.05 * calls_made(lambda: read(once)) + 50
    assert calls_made(lambda: lookup_keys_in(twice)) <= (
        2.05 * calls_made(lambda: lookup_keys_in(once)) + 50
    )


@pytest.mark.parametrize("part", ["@", "@a", "@Z", "@5", "`"])
def test_signs_that_cannot_open_cost_no_call(part: str) -> None:
    once, twice = part * 1000, part * 2000

    more = calls_made(lambda: lookup_keys_in(twice)) - calls_made(
        lambda: lookup_keys_in(once)
    )

    assert abs(more) < 20


@pytest.mark.parametrize("part", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("start", ["", "@", "@a@"])
def test_a_text_asks_for_fewer_keys_than_it_has_characters(
    part: str, start: str
) -> None:
    text = start + part * PARTS

    assert len(lookup_keys_in(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "folding"),
    [
        pytest.param("@Nat Moreau please check", "name_key", id="ASCII"),
        pytest.param("@Nat Moreau please\ncheck", "name_key", id="up to a line break"),
        pytest.param("@José Núñez por favor", "name_key", id="composed letters"),
        pytest.param("@Ольга Ёлкина", "name_key", id="Cyrillic"),
        pytest.param("@田中太郎さんお願いします", "name_key", id="Han and kana"),
        pytest.param("@nat@north.example", "address_key", id="an address"),
        pytest.param("@用户@例子.公司", "address_key", id="an address in Han"),
    ],
)
def test_an_ordinary_text_is_folded_once_and_not_for_each_key(
    text: str, folding: str
) -> None:
    # The tool that plants mutants calls a function by another name.
    for name in (folding, f"x_{folding}__mutmut_orig"):
        assert calls_made(lambda: lookup_keys_in(text), to=name) == 0


def test_a_text_of_the_longest_kind_asks_for_a_bounded_number_of_keys() -> None:
    different = "".join(chr(0x4E00 + number) for number in range(10_000))
    signs = "@".join(different[:5000])

    assert len(lookup_keys_in(f"@{different}")) == 200
    assert len(lookup_keys_in(signs)) <= 5000


def test_the_directory_is_not_read_beyond_the_owners() -> None:
    text = "@Nat Moreau and @Person 7, please check the second reel"
    directories = [
        {someone.name.casefold(): someone for someone in _people(count)}
        for count in (100, 10_000)
    ]

    def read(directory: dict[str, Person]) -> object:
        keys = lookup_keys_in(text)
        owners = [directory[key] for key in keys if key in directory]
        return resolve_mentions(
            text, author=IVY, channel=BROADCAST, project=P1, owners=owners
        )

    small, large = directories
    assert read(small) == read(large)
    assert calls_made(lambda: read(small)) == calls_made(lambda: read(large))


def _people(count: int) -> list[Person]:
    return [NAT, *(person(f"p{number}", f"Person {number}") for number in range(count))]
