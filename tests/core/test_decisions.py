"""A decision is true only when it allows, and its codes are stable."""

import pytest

from clp_core.decisions import ALLOWED, Code, Decision, InvalidValue, Reason

# Every value ever released. A line may be added; none may change or go.
RELEASED = [
    "allowed",
    "project.missing",
    "channel.missing",
    "message.missing",
    "person.missing",
    "broadcast.internal_only",
    "message.not_yours",
    "message.deleted",
    "text.empty",
    "text.too_long",
    "text.malformed",
    "idempotency_key.malformed",
    "idempotency_key.reused",
    "mention.too_many",
    "attachment.missing",
    "attachment.empty",
    "attachment.too_large",
    "attachment.too_many",
    "attachment.name_unsafe",
    "attachment.type_refused",
    "attachment.content_mismatch",
    "attachment.quota_spent",
    "attachment.partner_quota_spent",
]


def test_an_allowing_decision_is_true() -> None:
    assert ALLOWED
    assert ALLOWED.reason is Reason.ALLOWED


@pytest.mark.parametrize("reason", set(Reason) - {Reason.ALLOWED})
def test_a_refusal_is_false(reason: Reason) -> None:
    assert not Decision(reason)


def test_no_reason_ever_released_has_gone() -> None:
    assert [reason.value for reason in Reason] == RELEASED


def test_decisions_print_as_they_are_written() -> None:
    assert repr(ALLOWED) == "Decision(reason=Reason.ALLOWED)"
    assert f"{Reason.CHANNEL_MISSING}" == "channel.missing"


def test_a_code_of_any_vocabulary_prints_its_own_name() -> None:
    class Colour(Code):
        RED = "red"

    assert repr(Colour.RED) == "Colour.RED"


def test_decisions_are_values() -> None:
    assert Decision(Reason.TEXT_EMPTY) == Decision(Reason.TEXT_EMPTY)
    assert len({Decision(Reason.TEXT_EMPTY), Decision(Reason.TEXT_EMPTY)}) == 1
    with pytest.raises(AttributeError):
        ALLOWED.reason = Reason.TEXT_EMPTY  # type: ignore[misc]


def test_an_invalid_value_is_a_value_error() -> None:
    assert issubclass(InvalidValue, ValueError)
