"""Every limit is data, with the published defaults; a mistake is named by its field."""

import tomllib
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.attachments import (
    PUBLISHED_ATTACHMENTS,
    AttachmentPolicy,
    judge_upload,
)
from clp_core.decisions import InvalidValue
from clp_core.mentions.policy import MentionPolicy
from clp_core.messages import TextPolicy
from clp_core.people import AccessPolicy
from clp_core.policies import Policies
from clp_core.routing import MentionRouting, RoutingPolicy

DEPLOYMENT = """
[access]
admitting_roles = ["dub_portal_user", "mixer"]
excluding_roles = []

[text]
max_characters = 500

[mentions]
max_people = 5

[attachments]
max_bytes = 1024
extensions = ["pdf", "srt"]

[routing]
mention_routing = "adds"
"""


def test_the_defaults_are_the_published_policies() -> None:
    policies = Policies()
    assert policies.access == AccessPolicy()
    assert policies.text == TextPolicy()
    assert policies.mentions == MentionPolicy()
    assert policies.attachments == AttachmentPolicy()
    assert policies.routing == RoutingPolicy()
    assert Policies.from_mapping({}) == policies


def test_a_deployment_keeps_its_policies_in_toml() -> None:
    policies = Policies.from_mapping(tomllib.loads(DEPLOYMENT))
    assert policies == Policies(
        access=AccessPolicy(
            admitting_roles=frozenset({"dub_portal_user", "mixer"}),
            excluding_roles=frozenset(),
        ),
        text=TextPolicy(max_characters=500),
        mentions=MentionPolicy(max_people=5),
        attachments=AttachmentPolicy(
            max_bytes=1024, extensions=frozenset({"pdf", "srt"})
        ),
        routing=RoutingPolicy(mention_routing=MentionRouting.ADDS),
    )
    assert policies.text.max_idempotency_key == 128, (
        "what is left out keeps its default"
    )


@pytest.mark.parametrize("words", [["pdf"], ("pdf",), {"pdf"}, frozenset({"pdf"})])
def test_a_list_of_words_may_be_any_collection(words: object) -> None:
    policies = Policies.from_mapping({"attachments": {"extensions": words}})
    assert policies.attachments.extensions == {"pdf"}


A_NUMBER, WORDS = "must be a whole number", "must be a list of words"
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("no such policy", {"colours": {}}, "colours: no policy has this name"),
    ("no such field", {"text": {"max": 1}}, "text.max: no policy has this field"),
    ("no table", {"text": 5}, "text: must be a table of fields"),
    ("a word for a number", {"text": {"max_characters": "5"}}, f"text.max_characters: {A_NUMBER}"),
    ("a fraction", {"attachments": {"max_bytes": 1.5}}, f"attachments.max_bytes: {A_NUMBER}"),
    ("true for a number", {"mentions": {"max_people": True}}, f"mentions.max_people: {A_NUMBER}"),
    ("nothing for a number", {"mentions": {"max_people": None}}, f"mentions.max_people: {A_NUMBER}"),
    ("nought", {"attachments": {"max_bytes": 0}}, "attachments.max_bytes: must be at least 1"),
    ("less than nought", {"mentions": {"max_people": -1}}, "mentions.max_people: must be at least 1"),
    ("a word for a list", {"attachments": {"extensions": "pdf"}}, f"attachments.extensions: {WORDS}"),
    ("a number in a list", {"access": {"excluding_roles": ["a", 1]}}, f"access.excluding_roles: {WORDS}"),
    ("a table for a list", {"access": {"admitting_roles": {"a": 1}}}, f"access.admitting_roles: {WORDS}"),
    ("no such choice", {"routing": {"mention_routing": "both"}}, "routing.mention_routing: must be one of replaces, adds"),
    ("a number for a choice", {"routing": {"mention_routing": 1}}, "routing.mention_routing: must be one of replaces, adds"),
    ("a list for a choice", {"routing": {"mention_routing": []}}, "routing.mention_routing: must be one of replaces, adds"),
    ("a list for a table", {"attachments": {"kinds": []}}, "attachments.kinds: must be a table of lists"),
    ("a word for a list of kinds", {"attachments": {"kinds": {"aaf": "zip"}}}, f"attachments.kinds: {WORDS}"),
    ("a disguise", {"attachments": {"kinds": {"aaf": ["program"]}}}, "attachments.kinds: aaf may not admit program"),
    (
        "an extension with its dot",
        {"attachments": {"extensions": [".pdf"]}},
        "attachments.extensions: '.pdf' is not written in lower-case letters and digits without a dot",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "mapping", "sentence"), MISTAKES, ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_named_by_its_field(
    what: str, mapping: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidValue) as problem:
        Policies.from_mapping(mapping)
    assert str(problem.value) == sentence, what


def test_policies_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Policies().text = TextPolicy(max_characters=1)  # type: ignore[misc]


def test_every_field_of_every_policy_can_be_loaded() -> None:
    published = Policies()
    for section in fields(Policies):
        policy = getattr(published, section.name)
        for field in fields(policy):
            given_value = getattr(policy, field.name)
            loaded = Policies.from_mapping({section.name: {field.name: given_value}})
            assert loaded == published


numbers = st.integers(1, 10**9)


@pytest.mark.property
@given(numbers, numbers, numbers)
def test_numbers_arrive_where_they_were_sent(one: int, two: int, three: int) -> None:
    policies = Policies.from_mapping(
        {
            "text": {"max_characters": one},
            "attachments": {"max_bytes": two, "max_per_message": three},
        }
    )
    assert policies.text.max_characters == one
    assert policies.attachments.max_bytes == two
    assert policies.attachments.max_per_message == three


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
values: st.SearchStrategy[object] = (
    scalars | st.lists(scalars, max_size=3) | st.just({})
)
tables = st.dictionaries(
    st.sampled_from(["max_bytes", "extensions", "mention_routing", "max_people"]),
    values,
)


@pytest.mark.property
@given(
    st.dictionaries(
        st.sampled_from(["access", "text", "mentions", "attachments", "routing", "x"]),
        values | tables,
        max_size=3,
    )
)
def test_nothing_that_toml_can_hold_is_more_than_a_named_mistake(
    mapping: dict[str, Any],
) -> None:
    try:
        judged = repr(Policies.from_mapping(mapping))
    except InvalidValue as problem:
        judged = str(problem)
    assert judged.startswith(("Policies(", *mapping))


def test_an_upload_is_judged_by_the_policy_of_the_deployment() -> None:
    policy = replace(
        PUBLISHED_ATTACHMENTS, extra_extensions=frozenset({"srt"}), max_bytes=5
    )

    assert judge_upload("a.srt", 5, policy)
    assert judge_upload("a.srt", 6, policy).detail == {"max_bytes": 5}
    assert not judge_upload("a.srt", 5)
