"""Rules 9, 10 and 12: what may be posted, edited and deleted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.decisions import InvalidValue, Reason
from clp_core.messages import (
    PUBLISHED_TEXT,
    MessageFacts,
    TextPolicy,
    judge_idempotency_key,
    judge_text,
    may_audit,
    may_delete,
    may_edit,
)
from clp_core.people import ROBOT, AccessPolicy, Author
from clp_core.visible_text import is_blank
from tests.core.sample_world import (
    BROADCAST,
    EVA,
    IAN,
    IVY,
    LIN,
    NAT,
    NIA,
    NORTH,
    P1,
    SAM,
    SOUTH,
    WITH_EAST,
    WITH_NORTH,
)

OK, EMPTY, LONG, BAD = (
    Reason.ALLOWED, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.TEXT_MALFORMED,
)  # fmt: skip

TEXTS = [
    # a text of                                text                          files  decision
    ("one character", "x", 0, OK),
    ("one character among blanks", " \t\n x \u3000", 0, OK),
    ("10,000 characters", "x" * 10_000, 0, OK),
    ("10,000 characters among blanks", "\n" + "x" * 10_000 + "  ", 0, OK),
    ("10,000 characters of four bytes", "🎬" * 10_000, 0, OK),
    ("10,001 characters", "x" * 10_001, 0, LONG),
    ("10,001 characters and a file", "x" * 10_001, 1, LONG),
    ("as many blanks around it as it may have", "x" + " " * 10_000, 0, OK),
    ("one blank too many", "x" + " " * 10_001, 0, LONG),
    ("one blank too many on both sides", " " * 5_000 + "x" + " " * 5_001, 0, LONG),
    ("nothing", "", 0, EMPTY),
    ("blanks", " \n\u00a0\u2028", 0, EMPTY),
    ("nothing, with a file", "", 1, OK),
    ("blanks, with ten files", "  ", 10, OK),
    ("a hundred thousand line breaks", "\n" * 100_000, 0, EMPTY),
    ("a hundred thousand line breaks and a file", "\n" * 100_000, 1, LONG),
    ("ten megabytes of words", "word " * 2_097_152, 0, LONG),
    ("a NUL", "a\x00b", 0, BAD),
    ("a NUL and a file", "\x00", 1, BAD),
    ("a NUL after too much text", "x" * 20_000 + "\x00", 0, BAD),
    ("half a surrogate pair, high", "x\ud83dx", 0, BAD),
    ("half a surrogate pair, low", "\udfff", 0, BAD),
    ("the first surrogate", "\ud800", 0, BAD),
    ("the neighbours of the surrogates", "\ud7ff\ue000", 0, OK),
    ("noncharacters", "\ufffe\uffff\U0001ffff", 0, OK),
    ("other control characters", "\x01\x07\x1b[31m", 0, OK),
    ("zero-width characters", "pass\u200bword", 0, OK),
    ("markup", "<script>alert(1)</script>", 0, OK),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "text", "files", "reason"), TEXTS, ids=[row[0] for row in TEXTS]
)
def test_a_text_of(what: str, text: str, files: int, reason: Reason) -> None:
    assert judge_text(text, files).reason is reason, what


def test_a_text_needs_no_attachment_to_be_judged() -> None:
    assert judge_text("hello")
    assert not judge_text("")


def test_text_limits_are_policy() -> None:
    short = TextPolicy(max_characters=3, max_padding=2, max_idempotency_key=4)
    assert judge_text(" abc ", policy=short)
    assert judge_text("abcd", policy=short).reason is LONG
    assert judge_text(" abc  ", policy=short).reason is LONG
    assert judge_idempotency_key("abcd", short)
    assert not judge_idempotency_key("abcde", short)


def test_the_published_text_policy() -> None:
    assert TextPolicy() == PUBLISHED_TEXT
    assert PUBLISHED_TEXT.max_characters == 10_000
    assert PUBLISHED_TEXT.max_padding == 10_000
    assert PUBLISHED_TEXT.max_idempotency_key == 128


@pytest.mark.parametrize(
    "field", ["max_characters", "max_padding", "max_idempotency_key"]
)
def test_a_limit_that_admits_nothing_is_a_mistake(field: str) -> None:
    assert getattr(replace(PUBLISHED_TEXT, **{field: 1}), field) == 1
    with pytest.raises(InvalidValue, match=f"^{field}: must be at least 1$"):
        replace(PUBLISHED_TEXT, **{field: 0})


@pytest.mark.property
@given(st.text(), st.integers(0, 3))
def test_no_text_makes_the_judgement_fail(text: str, files: int) -> None:
    allowed = bool(judge_text(text, files))
    assert allowed == ("\x00" not in text and bool(not is_blank(text) or files))


@pytest.mark.parametrize(
    "text", ["\u200b", "\u3164", "\u2800 \u2800", "\u202e\n", "\ufeff"]
)
def test_a_text_that_shows_nothing_is_empty(text: str) -> None:
    assert judge_text(text).reason is Reason.TEXT_EMPTY
    assert judge_text(text, attachments=1)


def test_a_refused_text_names_the_limit_or_the_character() -> None:
    policy = TextPolicy(max_characters=3, max_padding=2)

    assert judge_text(" abcd", 0, policy).detail == {
        "max_characters": 3,
        "characters": 4,
    }
    padded = {"max_characters": 3, "max_padding": 2}
    assert judge_text("a   ", 0, policy).detail == padded
    assert judge_text("a\x00").detail == {"character": "U+0000"}
    assert judge_idempotency_key("").detail == {"max_characters": 128}


KEYS = [
    # a key of                   key            is one
    ("one character", "k", True),
    ("128 characters", "k" * 128, True),
    ("129 characters", "k" * 129, False),
    ("nothing", "", False),
    ("words", "draft 7, second try", True),
    ("letters of any script", "клавиша-鍵", True),
    ("a NUL", "k\x00", False),
    ("a line break", "k\n", False),
    ("half a surrogate pair", "\ud83d", False),
    ("an invisible character", "k\u200b", False),
]


@pytest.mark.parametrize(("what", "key", "fits"), KEYS, ids=[row[0] for row in KEYS])
def test_an_idempotency_key_of(*, what: str, key: str, fits: bool) -> None:
    decision = judge_idempotency_key(key)
    assert bool(decision) is fits, what
    assert decision.reason is (OK if fits else Reason.IDEMPOTENCY_KEY_MALFORMED)


def message(
    author: Author, channel: object = WITH_NORTH, **facts: object
) -> MessageFacts:
    return MessageFacts(channel=channel, number=1, author=author.id, **facts)  # type: ignore[arg-type]


MISSING, NOT_YOURS, DELETED, LISTEN = (
    Reason.MESSAGE_MISSING, Reason.MESSAGE_NOT_YOURS, Reason.MESSAGE_DELETED,
    Reason.BROADCAST_INTERNAL_ONLY,
)  # fmt: skip
STRANGER = replace(NAT, active=False)
# Ivy as she would be had she gone to work for North: she keeps her id.
IVY_AT_NORTH = replace(IVY, partner=NORTH)
IVY_AT_SOUTH = replace(IVY, partner=SOUTH)

CHANGES = [
    # actor, message                                     may edit    may delete
    ("internal, own", IVY, message(IVY), OK, OK),
    ("internal, own broadcast", IVY, message(IVY, BROADCAST), OK, OK),
    ("internal, a colleague's", IAN, message(IVY), NOT_YOURS, OK),
    ("internal, a partner's", IVY, message(NAT), NOT_YOURS, OK),
    ("internal, the robot's", IVY, message(ROBOT, BROADCAST), NOT_YOURS, OK),
    ("internal, of a withdrawn partner", IVY, message(EVA, WITH_EAST), NOT_YOURS, OK),
    ("external, own", NAT, message(NAT), OK, OK),
    ("external, a colleague's", NIA, message(NAT), NOT_YOURS, NOT_YOURS),
    ("external, the studio's", NAT, message(IVY), NOT_YOURS, NOT_YOURS),
    ("external, a broadcast", NAT, message(IVY, BROADCAST), NOT_YOURS, NOT_YOURS),
    ("external, of another partner", SAM, message(NAT), MISSING, MISSING),
    ("external, own, withdrawn since", EVA, message(EVA, WITH_EAST), MISSING, MISSING),
    ("external, own, moved since", IVY_AT_SOUTH, message(IVY), MISSING, MISSING),
    ("external, own broadcast from before", IVY_AT_NORTH, message(IVY, BROADCAST), LISTEN, OK),
    ("external, own direct from before", IVY_AT_NORTH, message(IVY), OK, OK),
    ("without access, own", STRANGER, message(NAT), MISSING, MISSING),
    ("a linguist", LIN, message(IVY, BROADCAST), MISSING, MISSING),
    ("the robot, own", ROBOT, message(ROBOT, BROADCAST), MISSING, MISSING),
    ("own, deleted", NAT, message(NAT, deleted=True), DELETED, DELETED),
    ("another's, deleted, internal", IVY, message(NAT, deleted=True), DELETED, DELETED),
    ("hidden and deleted", SAM, message(NAT, deleted=True), MISSING, MISSING),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "actor", "touched", "editing", "deleting"),
    CHANGES,
    ids=[r[0] for r in CHANGES],
)
def test_who_may_change_a_message(
    who: str, actor: Author, touched: MessageFacts, editing: Reason, deleting: Reason
) -> None:
    assert may_edit(actor, touched, P1).reason is editing, who
    assert may_delete(actor, touched, P1).reason is deleting, who


AUDITS = [
    # actor, message                                        may read earlier texts
    ("internal, own", IVY, message(IVY), OK),
    ("internal, a partner's", IAN, message(NAT), OK),
    ("internal, deleted", IAN, message(NAT, deleted=True), OK),
    ("internal, the robot's", IVY, message(ROBOT, BROADCAST), OK),
    ("external, own", NAT, message(NAT), MISSING),
    ("external, a broadcast", NAT, message(IVY, BROADCAST), MISSING),
    ("another partner's", SAM, message(NAT), MISSING),
    ("the robot, own", ROBOT, message(ROBOT, BROADCAST), MISSING),
]


@pytest.mark.parametrize(
    ("who", "actor", "audited", "reason"), AUDITS, ids=[r[0] for r in AUDITS]
)
def test_who_reads_earlier_texts(
    who: str, actor: Author, audited: MessageFacts, reason: Reason
) -> None:
    assert may_audit(actor, audited, P1).reason is reason, who


def test_changing_asks_the_access_policy_given() -> None:
    closed = AccessPolicy(admitting_roles=frozenset({"mixer"}))
    assert may_edit(IVY, message(IVY), P1, access=closed).reason is MISSING
    assert may_delete(IVY, message(IVY), P1, access=closed).reason is MISSING
    assert may_audit(IVY, message(IVY), P1, access=closed).reason is MISSING
    mixer = replace(IVY, roles=frozenset({"mixer"}))
    assert may_edit(mixer, message(IVY, BROADCAST), P1, access=closed)
    assert may_delete(mixer, message(IVY, BROADCAST), P1, access=closed)


def test_a_message_stands_unless_deleted() -> None:
    assert not message(IVY).deleted
