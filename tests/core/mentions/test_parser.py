"""The lookup keys of a text."""

import pytest

from clp_core.mentions import MentionPolicy, Span, lookup_keys_in


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("", set(), id="nothing"),
        pytest.param("no sign", set(), id="no sign"),
        pytest.param("@", set(), id="a sign alone"),
        pytest.param("a@b.c", set(), id="a sign that opens nothing"),
        pytest.param("@Nat", {"nat"}, id="one word"),
        pytest.param("@Nat Moreau", {"nat", "nat moreau"}, id="two words"),
        pytest.param("@Nat   Moreau", {"nat", "nat moreau"}, id="a run of spaces"),
        pytest.param("@Nat \t x", {"nat", "nat x"}, id="mixed spaces"),
        pytest.param("@Nat\nMoreau", {"nat"}, id="a line break"),
        pytest.param("@Nat  x\nMoreau", {"nat", "nat x"}, id="spaces and a break"),
        pytest.param("@Nat, x", {"nat", "nat,", "nat, x"}, id="a comma"),
        pytest.param("@Nat @Nia", {"nat", "nia"}, id="two handles"),
        pytest.param("@Nat @Nia\nx", {"nat", "nia"}, id="two and a line break"),
        pytest.param("@Nat's x", {"nat", "nat's", "nat's x"}, id="a possessive"),
        pytest.param("@Nat.x", {"nat", "nat.x"}, id="a full stop and a letter"),
        pytest.param(
            "@Nat-x y", {"nat", "nat-x", "nat-x y"}, id="a hyphen and a letter"
        ),
        pytest.param("@Nat_ x", {"nat", "nat_", "nat_ x"}, id="emphasis at the end"),
        pytest.param("@N\u200bat", {"nat"}, id="an invisible sign"),
        pytest.param("@Na’t‐x", {"na", "na't", "na't-x"}, id="signs of a phone"),
        pytest.param("https://a.b/@Nat x", set(), id="a web address"),
        pytest.param("@a@b。c", {"a@b", "a@b.c"}, id="an address with another dot"),
        pytest.param("@'Nat", {"'nat"}, id="an apostrophe before the name"),
        pytest.param("@Zoë x", {"zoë", "zoë x"}, id="an accent"),
        pytest.param("@Zoe\u0308 x", {"zoë", "zoë x"}, id="its parts"),
        pytest.param("@ß x", {"ss", "ss x"}, id="one letter made two"),
        pytest.param("@H\u0331ß x", {"ẖss", "ẖss x"}, id="two one, and one two"),
        pytest.param("@ΐ x", {"ΐ", "ΐ x"}, id="one letter made three and one"),
        pytest.param("@田中さ", {"田", "田中", "田中さ"}, id="letters that may touch"),
        pytest.param("@田x", {"田", "田x"}, id="a Latin letter after one"),
        pytest.param("@x田", {"x", "x田"}, id="and before one"),
        pytest.param("@ㄱㅏ", {"\u1100", "가"}, id="letters that NFKC puts together"),
        pytest.param("@a@b.c", {"a@b.c"}, id="an address"),
        pytest.param("@a@b.c x", {"a@b.c"}, id="which is no name"),
        pytest.param("@A@B.C", {"a@b.c"}, id="in capitals"),
        pytest.param("@a@xn--bcher-kva.b", {"a@xn", "a@bücher.b"}, id="in ASCII form"),
        pytest.param("@ß@b.c", {"ss@b.c"}, id="with a letter made two"),
        pytest.param("@a@b.c田", {"a@b.c", "a@b.c田"}, id="a Han letter after it"),
        pytest.param("@a@b.c's", {"a@b.c"}, id="with a possessive"),
        pytest.param("@a@b.c'x", set(), id="with an apostrophe and a letter"),
        pytest.param("@a@b.c'sx", set(), id="with what begins like a possessive"),
        pytest.param("@a@b", {"a", "a@b"}, id="no dot: a name with a sign"),
        pytest.param("@田@b.c", {"田", "田@b.c", "b", "b.c"}, id="both readings"),
        pytest.param("`@Nat`", set(), id="code"),
        pytest.param("> @Nat", set(), id="a quotation"),
        pytest.param("@Nat `x`", {"nat"}, id="a name beside code"),
        pytest.param("@Nat x\x1fy", {"nat", "nat x", "nat x y"}, id="a separator"),
    ],
)
def test_a_text_has_these_keys(text: str, keys: set[str]) -> None:
    assert lookup_keys_in(text) == keys


@pytest.mark.parametrize(
    ("longest", "keys"),
    [
        pytest.param(2, set(), id="too short for any"),
        pytest.param(3, {"nat"}, id="as long as the first"),
        pytest.param(9, {"nat"}, id="one short of the second"),
        pytest.param(10, {"nat", "nat moreau"}, id="as long as the second"),
        pytest.param(11, {"nat", "nat moreau"}, id="one more"),
    ],
)
@pytest.mark.parametrize("text", ["@Nat Moreau x", "@Nat  Moreau x", "@Ｎat Moreau x"])
def test_no_name_is_longer_than_the_policy_says(
    text: str, longest: int, keys: set[str]
) -> None:
    policy = MentionPolicy(max_name_length=longest)

    assert lookup_keys_in(text, policy=policy) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("@Nat", {"nat"}, id="nothing"),
        pytest.param("@Natx", set(), id="a letter"),
        pytest.param("@Nat'", {"nat"}, id="an apostrophe"),
        pytest.param("@Nat'x", {"nat"}, id="an apostrophe and a letter"),
        pytest.param("@Nat's", {"nat"}, id="a possessive"),
        pytest.param("@Nat'sx", {"nat"}, id="what begins like one"),
        pytest.param("@Nat's x", {"nat"}, id="a possessive and a word"),
    ],
)
def test_what_follows_a_name_of_the_longest_kind_is_looked_at(
    text: str, keys: set[str]
) -> None:
    policy = MentionPolicy(max_name_length=3)

    assert lookup_keys_in(text, policy=policy) == keys


def test_a_word_cut_off_by_the_limit_is_no_name() -> None:
    policy = MentionPolicy(max_name_length=5)

    assert lookup_keys_in("@Nathaniel x", policy=policy) == set()


def test_the_length_of_a_key_counts_and_not_that_of_the_text() -> None:
    policy = MentionPolicy(max_name_length=5)

    assert lookup_keys_in("@A" + " " * 100 + "bcd e", policy=policy) == {
        "a",
        "a bcd",
    }
    assert lookup_keys_in("@ßßß x", policy=policy) == set()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param(f"@{'a' * 64}@b.c", 1, id="64 characters on the left"),
        pytest.param(f"@{'a' * 65}@b.c", 3, id="65 are no address, but may be a name"),
        pytest.param(f"@a@{'b.' * 158}cd", 1, id="320 characters in all"),
        pytest.param(f"@a@{'b.' * 158}cde", 0, id="321"),
        pytest.param(f"@é@{'b.' * 158}cde", 0, id="321, not ASCII"),
        pytest.param(f"@a@b.{'田' * 320}", 318, id="every end up to 320"),
    ],
)
def test_addresses_are_no_longer_than_addresses_may_be(text: str, keys: int) -> None:
    assert len(lookup_keys_in(text)) == keys


@pytest.mark.parametrize(
    ("skip", "keys"),
    [
        pytest.param([], {"nat", "nat moreau", "nia"}, id="nothing"),
        pytest.param([Span(0, 4)], {"nia"}, id="a handle"),
        pytest.param([Span(0, 1)], {"nia"}, id="its sign"),
        pytest.param([Span(1, 2)], {"nia"}, id="its first letter"),
        pytest.param([Span(2, 4)], {"n", "nia"}, id="its other letters"),
        pytest.param([Span(5, 11)], {"nat", "nia"}, id="its second word"),
        pytest.param([Span(8, 11)], {"nat", "nat mor", "nia"}, id="half of it"),
        pytest.param([Span(11, 12)], {"nat", "nat moreau", "nia"}, id="a space"),
        pytest.param([Span(0, 99)], set(), id="everything"),
        pytest.param([Span(12, 13), Span(0, 1)], set(), id="both signs"),
    ],
)
def test_an_embedder_says_what_to_leave_out(skip: list[Span], keys: set[str]) -> None:
    assert lookup_keys_in("@Nat Moreau @Nia", skip=skip) == keys


def test_what_rule_17_leaves_out_stays_left_out() -> None:
    text = "`@Nat` @Nia @Ian"

    assert lookup_keys_in(text, skip=[Span(7, 11)]) == {"ian"}


def test_what_is_left_out_still_stands_before_a_sign() -> None:
    assert lookup_keys_in("bold@Nat", skip=[Span(0, 4)]) == set()
    assert lookup_keys_in("bold @Nat", skip=[Span(0, 4)]) == {"nat"}


def test_a_span_to_skip_counts_invisible_signs() -> None:
    text = "\u200b@N\u200bat @Nia"

    assert lookup_keys_in(text, skip=[Span(1, 3)]) == {"nia"}
    assert lookup_keys_in(text, skip=[Span(2, 3)]) == {"nia"}
    assert lookup_keys_in(text, skip=[Span(0, 1)]) == {"nat", "nia"}
