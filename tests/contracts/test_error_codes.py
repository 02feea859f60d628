"""Codes, event types and methods are public and append-only."""

from pathlib import Path

import pytest

from clp_contracts import events, messages, notifications, projects, search
from clp_contracts.error_codes import CODES
from clp_contracts.methods import Method
from clp_core.decisions import Reason

RELEASED = Path(__file__).parent / "released"


def methods() -> set[str]:
    """Return every remote method as ``service.method``."""
    return {
        f"{value.service}.{value.name}"
        for module in (projects, messages, search, notifications)
        for value in vars(module).values()
        if isinstance(value, Method)
    }


NOW = {
    "codes.txt": set(CODES),
    "events.txt": set(events.EVENT_TYPES),
    "methods.txt": methods(),
}


@pytest.mark.parametrize("name", sorted(NOW))
def test_no_released_value_has_disappeared(name: str) -> None:
    released = set((RELEASED / name).read_text().split())
    assert released - NOW[name] == set(), "was released, is gone"


@pytest.mark.parametrize("name", sorted(NOW))
def test_every_new_value_is_in_the_released_list(name: str) -> None:
    released = set((RELEASED / name).read_text().split())
    assert NOW[name] - released == set(), "append these to the released list"


def test_every_reason_of_the_rules_has_a_sentence() -> None:
    assert {reason.value for reason in Reason} - {"allowed"} <= set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_is_a_noun_and_an_adjective_with_a_sentence(code: str) -> None:
    noun, _, adjective = code.partition(".")
    assert noun.replace("_", "").isalpha()
    assert adjective.replace("_", "").isalpha()
    assert CODES[code].endswith(".")
    assert CODES[code][0].isupper()


def test_every_method_of_the_fixed_interface_exists() -> None:
    fixed_interface = {
        "projects": "put_person put_partner put_project assign_partner "
        "withdraw_partner follow unfollow my_projects announce",
        "messages": "post edit delete page channels mark_read unread mentionable changes",
        "search": "find status",
        "notifications": "explain mail_settings dead redrive",
    }
    wanted = {f"{s}.{m}" for s, names in fixed_interface.items() for m in names.split()}
    assert wanted <= methods()
