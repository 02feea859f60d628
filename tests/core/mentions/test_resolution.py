"""Who is meant: limits, namesakes, and who may be seen at all."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from clp_core.channels import Channel, Project, ProjectId
from clp_core.decisions import ALLOWED, Reason
from clp_core.mentions import (
    MentionOutcome,
    MentionPolicy,
    Mentions,
    Outcome,
    Span,
    mentionable_people,
    resolve_mentions,
)
from clp_core.people import ROBOT, AccessPolicy, Author, Person
from tests.core.sample_world import (
    BROADCAST,
    ELSEWHERE,
    EVA,
    EVERYBODY,
    IAN,
    IVY,
    LIN,
    NAT,
    NIA,
    NORTH,
    P1,
    SAM,
    SOL,
    WITH_EAST,
    WITH_NORTH,
    person,
)

CROWD = [person(f"c{number}", f"Crowd {number}") for number in range(60)]


def read(text: str, people: Iterable[Person], **changed: Any) -> Mentions:
    facts: dict[str, Any] = {
        "author": IVY,
        "channel": BROADCAST,
        "project": P1,
        **changed,
    }
    return resolve_mentions(text, owners=people, **facts)


def calling(people: list[Person]) -> str:
    return " ".join(f"@{someone.name}," for someone in people)


def test_an_outcome_says_where_whom_and_what_became_of_it() -> None:
    found = read("hi @Nat Moreau!", [NAT])

    assert found == Mentions(
        (MentionOutcome(Span(3, 14), "Nat Moreau", Outcome.MENTIONED, NAT),)
    )
    assert found.people == {NAT}
    assert found.decision is ALLOWED


def test_fifty_people_are_not_too_many() -> None:
    found = read(calling(CROWD[:50]), CROWD)

    assert found.decision
    assert len(found.people) == 50


def test_fifty_one_are() -> None:
    found = read(calling(CROWD[:51]), CROWD)

    assert found.decision.reason is Reason.MENTION_TOO_MANY
    assert found.decision.detail == {"max_people": 50, "people": 51}
    assert len(found.people) == 51


@pytest.mark.parametrize(
    "first", ["@nat@north.example", "@'", "@nobody@else.example", "@-"]
)
def test_a_handle_after_any_other_is_read(first: str) -> None:
    nat = person("nat", "Nat", NORTH)
    found = read(f"{first}, and @Ian Moss", [IAN, nat])

    assert IAN in found.people


def test_duplicates_oneself_and_the_unknown_do_not_count() -> None:
    policy = MentionPolicy(max_people=1)
    text = "@Ian Moss @ian moss @Ivy Lane @Zed"

    assert read(text, [IAN, IVY], policy=policy).decision
    assert not read(f"{text} @Nat Moreau", [IAN, IVY, NAT], policy=policy).decision


def test_namesakes_do_not_count_either() -> None:
    namesakes = [replace(CROWD[n], name="Bo Lind") for n in range(2)]

    found = read("@Bo Lind", namesakes, policy=MentionPolicy(max_people=1))

    assert found.decision
    assert found.people == frozenset()


def test_namesakes_are_listed_by_address() -> None:
    north = replace(NAT, name="Bo Lind", email="b@north.example")
    south = replace(SAM, name="bo  lind", email="C@south.example")
    studio = replace(IAN, name="BO LIND", email="a@studio.example")

    (found,) = read("@Bo Lind", [south, north, studio]).outcomes

    assert found.outcome is Outcome.AMBIGUOUS
    assert found.person is None
    assert found.candidates == (studio, north, south)


def test_namesakes_with_one_address_are_listed_by_id() -> None:
    one, other = (replace(p, name="Bo", email="bo@x.example") for p in (NAT, IAN))

    by_name = read("@Bo", [one, other]).outcomes[0]
    by_address = read("@bo@x.example", [one, other]).outcomes[0]

    assert by_name.candidates == by_address.candidates == (other, one)


def test_oneself_among_namesakes_is_ambiguous_too() -> None:
    (found,) = read("@Ivy Lane", [IVY, replace(NIA, name="Ivy Lane")]).outcomes

    assert found.outcome is Outcome.AMBIGUOUS


def test_somebody_given_twice_is_one_person() -> None:
    (found,) = read("@Nat Moreau", [NAT, replace(NAT)]).outcomes

    assert found.outcome is Outcome.MENTIONED


def test_an_address_belongs_to_its_owner_whoever_is_called_like_it() -> None:
    mask = replace(SAM, name="nat@north.example")

    assert read("@nat@north.example", [mask, NAT]).people == {NAT}
    assert read("@nat@north.example", [mask]).people == {mask}


def test_a_name_beyond_the_limit_is_tagged_by_address() -> None:
    long = replace(NAT, name="N" * 201)

    assert read(f"@{long.name}", [long]).outcomes[0].outcome is Outcome.UNKNOWN
    assert read(f"@{long.email}", [long]).people == {long}
    assert read(f"@{'N' * 200}", [replace(NAT, name="N" * 200)]).people


def test_a_longer_address_does_not_hide_a_shorter_name() -> None:
    mike = replace(IAN, name="Mike", email="somebody.with.a.long.address@x.example")

    assert read("@Mike please", [mike]).people == {mike}


def test_an_address_longer_than_every_name_is_found() -> None:
    bo = replace(IAN, name="Bo", email="bo-lind-of-the-long-house@localhost")

    assert read("@bo-lind-of-the-long-house@localhost", [bo]).people == {bo}


def test_spans_to_skip_have_no_outcome() -> None:
    text = "see @Nat Moreau and @Nia Roux"

    found = read(text, [NAT, NIA], skip=[Span(4, 15)])

    assert found.people == {NIA}
    assert [o.span for o in found.outcomes] == [Span(20, 29)]


def test_the_robot_mentions_nobody() -> None:
    assert read("@Nat Moreau", [NAT], author=ROBOT) == Mentions()


def test_a_text_without_a_handle_asks_nothing_of_the_owners() -> None:
    owners = iter([NAT])

    assert read("no sign", owners) == Mentions()
    assert list(owners) == [NAT]


def test_the_access_policy_is_asked() -> None:
    closed = AccessPolicy(admitting_roles=frozenset({"another_role"}))
    open_to_linguists = AccessPolicy(excluding_roles=frozenset())

    assert read("@Nat Moreau", [NAT], access=closed).people == frozenset()
    assert read("@Lin Okafor", [LIN]).people == frozenset()
    assert read("@Lin Okafor", [LIN], access=open_to_linguists).people == {LIN}


@pytest.mark.parametrize(
    ("author", "channel", "visible"),
    [
        pytest.param(
            IVY,
            BROADCAST,
            (IVY, IAN, NAT, NIA, SAM, SOL),
            id="a broadcast: all readers",
        ),
        pytest.param(
            IVY, WITH_NORTH, (IVY, IAN, NAT, NIA), id="a direct channel: its readers"
        ),
        pytest.param(
            NAT, WITH_NORTH, (IVY, IAN, NAT, NIA), id="seen by its partner: the same"
        ),
        pytest.param(
            IVY, WITH_EAST, (IVY, IAN), id="a partner withdrawn: internal people"
        ),
        pytest.param(SAM, WITH_NORTH, (), id="another partner's: nobody"),
        pytest.param(NAT, BROADCAST, (), id="who may not post a broadcast: nobody"),
        pytest.param(EVA, WITH_EAST, (), id="who was withdrawn: nobody"),
        pytest.param(LIN, BROADCAST, (), id="without access: nobody"),
        pytest.param(IVY, ELSEWHERE, (), id="no such channel: nobody"),
        pytest.param(ROBOT, WITH_NORTH, (), id="the robot in a direct channel: nobody"),
    ],
)
def test_candidates_are_the_readers_whom_the_author_may_see(
    author: Author, channel: Channel, visible: tuple[Person, ...]
) -> None:
    found = mentionable_people(EVERYBODY, author=author, channel=channel, project=P1)

    assert found == visible


def test_candidates_ask_the_access_policy() -> None:
    policy = AccessPolicy(excluding_roles=frozenset())
    facts: dict[str, Any] = {"channel": BROADCAST, "project": P1, "access": policy}

    assert mentionable_people([LIN, NAT], author=IVY, **facts) == (LIN, NAT)
    assert mentionable_people([NAT], author=LIN, **facts) == (NAT,)
    facts["access"] = AccessPolicy()
    assert mentionable_people([NAT], author=LIN, **facts) == ()


def test_candidates_of_a_project_without_partners_are_internal() -> None:
    alone = Project(id=ProjectId("p2"))

    found = mentionable_people(
        EVERYBODY, author=IVY, channel=Channel(alone.id), project=alone
    )

    assert found == (IVY, IAN)


def test_a_partner_of_the_project_is_no_candidate_where_it_is_not_assigned() -> None:
    only_south = replace(P1, assigned=P1.assigned - {NORTH})

    assert read("@Nat Moreau", [NAT], project=only_south).people == frozenset()


def test_outcomes_print_as_written_in_code() -> None:
    assert repr(Outcome.MENTIONED) == "Outcome.MENTIONED"
    assert [str(outcome) for outcome in Outcome] == [
        "mentioned",
        "ambiguous",
        "unknown",
        "self",
        "duplicate",
    ]


def test_a_name_ends_at_the_end_of_its_line_before_a_later_suffix() -> None:
    ann = person("ann", "Ann-Bea Lee")
    (found,) = read("@Ann-Bea Lee\nthe O'hara part", [ann]).outcomes
    assert (found.outcome, found.span) == (Outcome.MENTIONED, Span(0, 12))


def test_a_name_of_the_greatest_length_may_end_in_emphasis() -> None:
    short = MentionPolicy(max_name_length=3)
    ann = person("ann", "Ann")
    for text in ("_@Ann_ look", "_@Ann__", "*_@Ann_*"):
        (found,) = read(text, [ann], policy=short).outcomes
        assert found.outcome is Outcome.MENTIONED, text


@pytest.mark.parametrize(
    "skip", [Span(0, 1), Span(1, 2), Span(1, 11), Span(0, 11)], ids=str
)
def test_a_handle_whose_sign_or_first_letter_is_left_out_is_none(skip: Span) -> None:
    assert read("@Nat Moreau and others", [NAT], skip=[skip]).outcomes == ()
