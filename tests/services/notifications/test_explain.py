"""Explanations of who was told and why, and who may read them (rule 25)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import GetExplanation, MessageExplanation
from clp_contracts.transition_reasons import SENTENCES, TransitionReason
from clp_core.routing import NO_ROUTE, ROUTES, RULES, RoutingReason
from clp_notifications import explanations
from clp_notifications.routing.explain import explain
from clp_notifications.states import MailMode
from tests.services.notifications.harness import (
    DeliveryHarness,
    passport,
    person_passport,
)
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, LINGUIST, NORTH, SOUTH


def explained_to(
    harness: DeliveryHarness, actor: str, message: str, person: str | None = None
) -> MessageExplanation:
    request = GetExplanation(message=message, person=person)
    return explain(request, actor=person_passport(actor), deps=harness.deps)


def people_in(found: MessageExplanation) -> dict[str, str]:
    return {one.person: one.reason for one in found.people}


def refusal(
    harness: DeliveryHarness, actor: str, message: str, person: str | None = None
) -> str:
    with pytest.raises(Refused) as refused:
        explained_to(harness, actor, message, person)
    assert refused.value.detail == {}
    return refused.value.code


def test_internal_people_read_the_explanation_of_everybody(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "ian", "ivy", "lin")
    message = world.post("ivy", BROADCAST)
    harness.run()
    assert people_in(explained_to(harness, "ian", message)) == {
        "ian": "not_told.other_side",
        "ivy": "not_told.author",
        "lin": "not_told.no_portal_access",
        "nat": "told.new_broadcast",
    }


def test_an_external_person_reads_their_own_explanation_only(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam")
    message = world.post("ivy", BROADCAST)
    harness.run()
    assert people_in(explained_to(harness, "nat", message)) == {
        "nat": "told.new_broadcast"
    }
    assert people_in(explained_to(harness, "nat", message, "nat")) == {
        "nat": "told.new_broadcast"
    }
    assert refusal(harness, "nat", message, "nia") == "message.missing"
    assert refusal(harness, "nat", message, "sam") == "message.missing"
    assert refusal(harness, "nat", message, "nobody") == "message.missing"


def test_an_unreadable_message_is_refused_as_a_missing_one(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", SOUTH)
    harness.run()
    assert (
        refusal(harness, "nat", message)
        == refusal(harness, "nat", "nothing")
        == "message.missing"
    )
    assert refusal(harness, "lin", message) == "message.missing"
    assert refusal(harness, "nobody", message) == "message.missing"
    world.withdraw("south")
    assert refusal(harness, "sam", message) == "message.missing"


@pytest.mark.parametrize("actor", ["nat", "lin", "nobody"])
def test_t33_a_hidden_message_costs_the_calls_of_a_missing_one(
    harness: DeliveryHarness, world: World, actor: str
) -> None:
    hidden = world.post("ivy", SOUTH)
    harness.run()
    # Whoever asks for its content fails.
    del world.mentioned[hidden]
    calls: list[str] = []
    world.at_each_call = lambda: calls.append("call")
    counts = []
    for message in (hidden, "nothing", "no/id\0"):
        calls.clear()
        refusal(harness, actor, message)
        counts.append(len(calls))
    assert counts == [2, 2, 2]


def test_an_explanation_has_the_names_of_its_people(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.run()
    del world.people["sam"]
    found = explained_to(harness, "ivy", message)
    assert {one.person: one.name for one in found.people} == {
        "ivy": "Ivy Lane",
        "nat": "Nat Moreau",
        "sam": "",
    }


def test_an_impossible_person_is_explained_as_a_missing_one(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    harness.run()
    (one,) = explained_to(harness, "ivy", message, "no/id\0").people
    (missing,) = explained_to(harness, "ivy", message, "nobody").people
    assert replace(one, person="nobody") == missing


def test_a_service_may_read_the_explanation_of_anybody(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    harness.run()
    assert harness.explained(message, "nia").told
    request = GetExplanation(message=message)
    assert people_in(
        explain(request, actor=passport("support"), deps=harness.deps)
    ) == {
        "ivy": "not_told.author",
        "nia": "told.mention",
    }


def test_an_unconcerned_person_is_explained_as_a_missing_one(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    harness.run()
    known, stranger = (harness.explained(message, who) for who in ("sam", "nobody"))
    assert known.sentence == "not told: neither follows the project nor is mentioned"
    assert (known.told, known.state, known.transitions) == (False, None, ())
    assert (known.rule, known.reason, known.sentence) == (
        stranger.rule,
        stranger.reason,
        stranger.sentence,
    )


def test_an_unrouted_message_is_explained_as_such(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    assert harness.explained(message, "nat").sentence == "not looked at yet"
    assert explained_to(harness, "ian", message).people == ()


def test_a_follower_left_out_for_a_mention_is_explained(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    harness.run()
    found = harness.explained(message, "sam")
    assert (found.rule, found.reason) == ("22", "not_told.replaced_by_mention")
    assert (
        found.sentence
        == "not told: follows, but the message mentions people and tells only them"
    )


def test_an_edit_changes_the_explanation_of_whom_it_mentions(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("ian")
    message = world.post("ivy", BROADCAST)
    harness.run()
    assert harness.explained(message, "ian").reason == "not_told.other_side"
    world.edit(message, mentions=["ian", "lin"])
    harness.run()
    assert harness.explained(message, "ian").reason == "told.mention"
    assert harness.explained(message, "lin").reason == "not_told.no_portal_access"


def test_a_withdrawn_mail_is_explained_by_its_last_transition(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.change_person("nat", roles=LINGUIST)
    harness.deliver()
    found = harness.explained(message, "nat")
    assert found.state == "suppressed"
    assert found.sentence.endswith("withdrawn: may no longer read the channel")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("language", "sentence", "facts"),
    [
        (
            "ja-JP",
            (
                "通知あり：プロジェクトをフォロー、スタジオから所属パートナーへのメッセージ"
                "。メールを待っている"
            ),
            ("投稿者は ivy", "2026年3月1日 21:01 JST に送るメールで待機中"),
        ),
        (
            "ar",
            "أُعلِم: يتابع المشروع، كتب الاستوديو إلى شريكه؛ ينتظر رسالة بريده",
            ("الكاتب هو \u2068ivy\u2069", "ينتظر في رسالة بريد موعدها"),
        ),
        (
            "fr",
            (
                "averti : suit le projet, le studio a écrit à son partenaire ; attend son "
                "courriel"
            ),
            ("ivy est l’auteur", "attend dans un courriel à envoyer le 1 mars 2026"),
        ),
        (
            "xx",
            (
                "told: follows the project, the studio wrote to their partner; waits for "
                "its mail"
            ),
            ("ivy is the author", "waits in a mail that is due at 1 March 2026"),
        ),
    ],
)
def test_an_explanation_is_in_the_readers_language_and_time_zone(
    harness: DeliveryHarness,
    language: str,
    sentence: str,
    facts: tuple[str, str],
) -> None:
    harness.world.follow("nat")
    message = harness.world.post("ivy", NORTH)
    harness.window(60)
    harness.route()
    request = GetExplanation(
        message=message, person="nat", language=language, time_zone="Asia/Tokyo"
    )
    (found,) = explain(request, actor=passport("support"), deps=harness.deps).people
    assert found.sentence == sentence
    assert found.facts[1] == facts[0]
    assert found.facts[-1].startswith(facts[1])
    assert "21:01" in found.facts[-1] or language == "ar"


def test_a_withdrawn_choice_of_somebody_else_is_told_in_each_language(
    harness: DeliveryHarness,
) -> None:
    harness.world.follow("nat")
    message = harness.world.post("ivy", NORTH)
    harness.window(60)
    harness.route()
    harness.world.unfollow("nat")
    harness.world.clock.forward(seconds=60)
    harness.deliver()
    request = GetExplanation(message=message, person="nat", language="fr")
    actor = person_passport("ivy")
    (found,) = explain(request, actor=actor, deps=harness.deps).people
    assert found.transitions[-1].reason == "reader_choice"
    assert found.sentence.endswith("retiré : son lecteur n’en a pas besoin")


def test_the_facts_are_sentences(harness: DeliveryHarness, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", NORTH)
    harness.window(60)
    harness.route()
    found = harness.explained(message, "nat")
    assert found.facts == (
        "the message is in p1/direct/north, a direct channel",
        "ivy is the author",
        "the text does not mention this person",
        "wants mails batched for a short while, by default",
        "waits in a mail that is due at 1 March 2026, 12:01 UTC",
    )
    assert [step.sentence for step in found.transitions] == ["waits for its mail"]
    world.clock.forward(seconds=60)
    harness.deliver()
    found = harness.explained(message, "nat")
    assert [step.sentence for step in found.transitions] == [
        "waits for its mail",
        "is being mailed",
        "the mail server accepted the mail",
    ]
    assert len(found.facts) == 4


def test_the_facts_include_a_mention(harness: DeliveryHarness, world: World) -> None:
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    harness.run()
    for person, words in (("nat", "mentions"), ("ivy", "does not mention")):
        facts = harness.explained(message, person).facts
        assert f"the text {words} this person" in facts


def read_it(harness: DeliveryHarness) -> None:
    harness.world.read("nat", BROADCAST)


def unfollow(harness: DeliveryHarness) -> None:
    harness.world.unfollow("nat")


def unsubscribe(harness: DeliveryHarness) -> None:
    harness.set_mode("nat", MailMode.OFF)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [(read_it, "read"), (unfollow, "unfollowed"), (unsubscribe, "mail_off")],
)
def test_reading_and_choices_are_explained_to_their_person_and_services_only(
    harness: DeliveryHarness,
    world: World,
    happens: Callable[[DeliveryHarness], None],
    reason: str,
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    happens(harness)
    harness.deliver()
    (own,) = explained_to(harness, "nat", message).people
    assert (
        own.transitions[-1].reason
        == reason
        == harness.explained(message, "nat").transitions[-1].reason
    )
    assert any(fact.startswith("wants") for fact in own.facts)
    (for_ivy,) = (
        one
        for one in explained_to(harness, "ian", message).people
        if one.person == "nat"
    )
    assert for_ivy.transitions[-1].reason == "reader_choice"
    assert for_ivy.sentence.endswith("; withdrawn: not needed by its reader")
    assert not any(fact.startswith("wants") for fact in for_ivy.facts)


def test_an_explanation_for_a_partner_depends_on_no_other_partner(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.run()
    before = explained_to(harness, "nat", message)
    world.follow("sam", "sol")
    crowded = world.post("ivy", BROADCAST)
    harness.run()
    after = explained_to(harness, "nat", crowded)
    assert replace(after, message=message) == before


def test_every_rule_has_a_sentence() -> None:
    named = {*RULES.values(), *(route.rule for route in ROUTES.values() if route)}
    assert named | {NO_ROUTE, explanations.ANY_ROUTE} == explanations.RULES.keys()


def test_every_mode_has_a_sentence() -> None:
    assert explanations.MODES.keys() == set(MailMode)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(TransitionReason)
    assert all(RoutingReason(reason) for reason in RoutingReason)
