"""Why somebody got or did not get a mail, and who may ask (rule 25)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import AskExplain, Explained
from clp_core.routing import NO_ROUTE, ROUTES, RULES, RoutingReason
from clp_notifications import explanations
from clp_notifications.routing.explain import explain
from clp_notifications.states import SENTENCES, Because, MailMode
from clp_notifications.transitions import set_mode
from tests.services.notifications.harness import Works, passport, person_passport
from tests.services.notifications.sample_world import (
    BROADCAST,
    LINGUIST,
    NORTH,
    SOUTH,
    World,
)


def asked_by(
    works: Works, actor: str, message: str, person: str | None = None
) -> Explained:
    ask = AskExplain(message=message, person=person)
    return explain(ask, actor=person_passport(actor), parts=works.parts)


def people_in(found: Explained) -> dict[str, str]:
    return {one.person: one.reason for one in found.people}


def refusal(works: Works, actor: str, message: str, person: str | None = None) -> str:
    with pytest.raises(Refused) as refused:
        asked_by(works, actor, message, person)
    assert refused.value.detail == {}
    return refused.value.code


def test_the_studio_reads_everybody_s_story(works: Works, world: World) -> None:
    world.follow("nat", "ian", "ivy", "lin")
    message = world.post("ivy", BROADCAST)
    works.run()
    assert people_in(asked_by(works, "ian", message)) == {
        "ian": "not_told.other_side",
        "ivy": "not_told.author",
        "lin": "not_told.no_portal_access",
        "nat": "told.new_broadcast",
    }


def test_a_partner_s_person_reads_their_own_story_only(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia", "sam")
    message = world.post("ivy", BROADCAST)
    works.run()
    assert people_in(asked_by(works, "nat", message)) == {"nat": "told.new_broadcast"}
    assert people_in(asked_by(works, "nat", message, "nat")) == {
        "nat": "told.new_broadcast"
    }
    assert refusal(works, "nat", message, "nia") == "message.missing"
    assert refusal(works, "nat", message, "sam") == "message.missing"
    assert refusal(works, "nat", message, "nobody") == "message.missing"


def test_a_message_one_may_not_read_is_like_one_that_does_not_exist(
    works: Works, world: World
) -> None:
    message = world.post("ivy", SOUTH)
    works.run()
    assert (
        refusal(works, "nat", message)
        == refusal(works, "nat", "nothing")
        == "message.missing"
    )
    assert refusal(works, "lin", message) == "message.missing"
    assert refusal(works, "nobody", message) == "message.missing"
    world.withdraw("south")
    assert refusal(works, "sam", message) == "message.missing"


def test_a_service_may_ask_about_anybody(works: Works, world: World) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    works.run()
    assert works.explained(message, "nia").told
    ask = AskExplain(message=message)
    assert people_in(explain(ask, actor=passport("support"), parts=works.parts)) == {
        "ivy": "not_told.author",
        "nia": "told.mention",
    }


def test_who_was_not_concerned_is_told_so_as_a_stranger_would_be(
    works: Works, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    works.run()
    known, stranger = (works.explained(message, who) for who in ("sam", "nobody"))
    assert known.sentence == "not told: neither follows the project nor is mentioned"
    assert (known.told, known.state, known.steps) == (False, None, ())
    assert (known.rule, known.reason, known.sentence) == (
        stranger.rule,
        stranger.reason,
        stranger.sentence,
    )


def test_a_message_that_nobody_has_looked_at_yet_says_so(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    assert works.explained(message, "nat").sentence == "not looked at yet"
    assert asked_by(works, "ian", message).people == ()


def test_a_follower_left_out_for_a_mention_is_told_why(
    works: Works, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    works.run()
    found = works.explained(message, "sam")
    assert (found.rule, found.reason) == ("22", "not_told.replaced_by_mention")
    assert (
        found.sentence
        == "not told: follows, but the message mentions people and tells only them"
    )


def test_an_edit_changes_the_story_of_whom_it_mentions(
    works: Works, world: World
) -> None:
    world.follow("ian")
    message = world.post("ivy", BROADCAST)
    works.run()
    assert works.explained(message, "ian").reason == "not_told.other_side"
    world.edit(message, mentions=["ian", "lin"])
    works.run()
    assert works.explained(message, "ian").reason == "told.mention"
    assert works.explained(message, "lin").reason == "not_told.no_portal_access"


def test_a_withdrawn_mail_is_explained_by_its_last_step(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.change_person("nat", roles=LINGUIST)
    works.deliver()
    found = works.explained(message, "nat")
    assert found.state == "suppressed"
    assert found.sentence.endswith("withdrawn: may not read the channel any more")


def test_the_facts_are_told_in_words(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", NORTH)
    works.window(60)
    works.route()
    found = works.explained(message, "nat")
    assert found.facts == (
        "the message stands in p1/direct/north, a direct channel",
        "ivy wrote it",
        "the text does not mention this person",
        "wants mails batched for a short while, having chosen nothing",
        "waits in a direct mail that is due at 2026-03-01 12:01:00 UTC",
    )
    assert [step.sentence for step in found.steps] == ["waits for its mail"]
    world.clock.forward(seconds=60)
    works.deliver()
    found = works.explained(message, "nat")
    assert [step.sentence for step in found.steps] == [
        "waits for its mail",
        "is being mailed",
        "the mail was handed over",
    ]
    assert len(found.facts) == 4


def test_the_facts_know_of_a_mention(works: Works, world: World) -> None:
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    works.run()
    for person, words in (("nat", "mentions"), ("ivy", "does not mention")):
        facts = works.explained(message, person).facts
        assert f"the text {words} this person" in facts


def read_it(works: Works) -> None:
    works.world.read("nat", BROADCAST)


def unfollow(works: Works) -> None:
    works.world.unfollow("nat")


def stop_mails(works: Works) -> None:
    with works.database.writing() as session:
        set_mode(session, ("nat", "p1"), MailMode.OFF, at=works.world.clock())


@pytest.mark.parametrize(
    ("happens", "reason"),
    [(read_it, "read"), (unfollow, "unfollowed"), (stop_mails, "mail_off")],
)
def test_what_a_person_read_and_chose_is_told_to_them_and_to_support_alone(
    works: Works, world: World, happens: Callable[[Works], None], reason: str
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    happens(works)
    works.deliver()
    (own,) = asked_by(works, "nat", message).people
    assert (
        own.steps[-1].reason
        == reason
        == works.explained(message, "nat").steps[-1].reason
    )
    assert any(fact.startswith("wants") for fact in own.facts)
    (for_ivy,) = (
        one for one in asked_by(works, "ian", message).people if one.person == "nat"
    )
    assert for_ivy.steps[-1].reason == "reader_choice"
    assert for_ivy.sentence.endswith("; withdrawn: its reader has no use for it")
    assert not any(fact.startswith("wants") for fact in for_ivy.facts)


def test_what_a_partner_s_person_is_told_does_not_depend_on_another_partner(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.run()
    before = asked_by(works, "nat", message)
    world.follow("sam", "sol")
    crowded = world.post("ivy", BROADCAST)
    works.run()
    after = asked_by(works, "nat", crowded)
    assert replace(after, message=message) == before


def test_every_rule_that_can_be_named_has_words() -> None:
    named = {*RULES.values(), *(route.rule for route in ROUTES.values() if route)}
    assert named | {NO_ROUTE, explanations.ANY_ROUTE} == explanations.RULES.keys()


def test_every_mode_has_words() -> None:
    assert explanations.MODES.keys() == set(MailMode)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Because)
    assert all(RoutingReason(reason) for reason in RoutingReason)
