"""Mail settings, and the unsubscribe link (H7)."""

import secrets
from dataclasses import replace

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import MailSettings, UpdateMailSettings
from clp_notifications.mail.content import ReaderPreferences
from clp_notifications.mail.tokens import MailTokens
from clp_notifications.routing.mail_settings import mail_settings
from clp_notifications.service.unsubscribe_page import unsubscribe_response
from clp_notifications.unsubscribe_tokens import UnsubscribeTokens
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST


def choose(
    harness: DeliveryHarness,
    actor: str = "nat",
    project: str | None = None,
    mode: str | None = None,
    *,
    content: bool | None = None,
) -> MailSettings:
    request = UpdateMailSettings(project=project, mode=mode, content=content)
    return mail_settings(request, actor=actor, deps=harness.deps)


def modes(settings: MailSettings) -> dict[str, str]:
    return {"": settings.default} | {one.project: one.mode for one in settings.projects}


def test_the_defaults_apply_at_first(harness: DeliveryHarness) -> None:
    assert modes(choose(harness)) == {"": "batched"}


def test_a_setting_is_stored_for_its_project_and_person(
    harness: DeliveryHarness,
) -> None:
    choose(harness, mode="daily")
    assert modes(choose(harness, project="p1", mode="off")) == {
        "": "daily",
        "p1": "off",
    }
    choose(harness, project="p1", mode="at_once")
    assert modes(choose(harness)) == {"": "daily", "p1": "at_once"}
    assert modes(choose(harness, "nia")) == {"": "batched"}


def test_a_mode_that_does_not_exist_is_refused(harness: DeliveryHarness) -> None:
    with pytest.raises(Refused) as refused:
        choose(harness, mode="never")
    assert refused.value.code == "request.malformed"


@pytest.mark.parametrize(
    ("actor", "project"),
    [("nat", "p9"), ("lin", None), ("lin", "p1"), ("nobody", None), ("nobody", "p1")],
)
@pytest.mark.parametrize("mode", [None, "off", "never"])
def test_without_access_the_project_is_missing(
    harness: DeliveryHarness, actor: str, project: str | None, mode: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        choose(harness, actor, project, mode)
    code = "portal.closed" if project is None else "project.missing"
    assert (refused.value.code, refused.value.detail) == (code, {})


def test_a_person_of_a_withdrawn_partner_cannot_set_the_project(
    harness: DeliveryHarness, world: World
) -> None:
    world.withdraw("north")
    with pytest.raises(Refused) as refused:
        choose(harness, project="p1", mode="off")
    assert refused.value.code == "project.missing"


def test_at_once_does_not_wait_for_the_window(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    choose(harness, project="p1", mode="at_once")
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.transport.recipients == ["nat@north.example"]


def test_daily_waits_for_the_morning_and_is_one_mail(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, mode="daily")
    world.follow("nat")
    for _ in range(3):
        world.post("ivy", BROADCAST)
        harness.run()
        world.clock.forward(hours=5)
    assert not harness.transport.mails
    world.clock.forward(hours=4)
    harness.run()
    assert len(harness.transport.mails) == 1
    assert cut_up(harness.transport.mails[0].data).text.count("Ivy Lane wrote") == 3


def test_a_mention_does_not_wait_for_the_morning(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, mode="daily")
    world.post("ivy", BROADCAST, mentions=["nat"])
    harness.run()
    assert harness.transport.recipients == ["nat@north.example"]


def unsubscribe_link(harness: DeliveryHarness) -> str:
    header = cut_up(harness.transport.mails[-1].data).one("List-Unsubscribe")
    return header.partition("<https://clp.example/-/unsubscribe/")[2].partition(">")[0]


def test_getting_the_page_changes_nothing(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.run()
    page = unsubscribe_response(unsubscribe_link(harness), act=False, deps=harness.deps)
    assert page.status_code == 200
    assert '<form method="post">' in page.get_data(as_text=True)
    assert modes(choose(harness)) == {"": "batched"}


def test_one_click_stops_the_project_s_mails_at_once(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    harness.run()
    token = next(
        cut_up(mail.data)
        .one("List-Unsubscribe")
        .partition("/unsubscribe/")[2]
        .partition(">")[0]
        for mail in harness.transport.to("nat@north.example")
    )
    waiting = world.post("ivy", BROADCAST)
    harness.route()
    assert unsubscribe_response(token, act=True, deps=harness.deps).status_code == 200
    assert unsubscribe_response(token, act=True, deps=harness.deps).status_code == 200
    harness.deliver()
    assert harness.states(waiting) == {
        "nat": ("suppressed", "mail_off"),
        "nia": ("sent", "accepted"),
    }
    assert modes(choose(harness)) == {"": "batched", "p1": "off"}


def test_mails_contain_texts_until_their_reader_turns_that_off(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia")
    assert choose(harness).content
    assert not choose(harness, content=False).content
    assert not choose(harness, mode="at_once").content
    world.post("ivy", BROADCAST, "the secret ending", files=[("ending.mov", 5)])
    harness.run()
    ((hidden,), (shown,)) = (
        harness.transport.to(f"{person}@north.example") for person in ("nat", "nia")
    )
    for word in ("secret", "ending", "Ivy"):
        assert word not in everything_in(hidden.data)
        assert word in everything_in(shown.data)
    assert choose(harness, content=True).content
    world.post("ivy", BROADCAST, "the secret beginning")
    harness.run()
    assert "> the secret beginning" in cut_up(harness.transport.mails[-1].data).text


def test_a_deployment_without_content_overrides_its_readers(
    harness: DeliveryHarness, world: World
) -> None:
    harness.delivery = replace(
        harness.delivery, reader_preferences=ReaderPreferences(content=False)
    )
    choose(harness, content=True)
    world.follow("nat")
    world.post("ivy", BROADCAST, "the secret ending", files=[("ending.mov", 5)])
    harness.run()
    (mail,) = harness.transport.mails
    for word in ("secret", "ending", "Ivy"):
        assert word not in everything_in(mail.data)


def everything_in(data: bytes) -> str:
    parts = cut_up(data)
    return f"{data.decode()}\n{parts.head}\n{parts.text}\n{parts.html}"


def test_a_mail_is_in_the_language_of_its_reader_or_the_deployment(
    harness: DeliveryHarness, world: World
) -> None:
    harness.delivery = replace(
        harness.delivery,
        reader_preferences=ReaderPreferences(language="ja", time_zone="Asia/Tokyo"),
    )
    world.follow("nat", "nia")
    world.change_person("nat", language="fr", time_zone="Europe/Paris")
    world.post("ivy", BROADCAST)
    harness.run()
    texts = {str(m.recipient): cut_up(m.data).text for m in harness.transport.mails}
    assert "Ivy Lane a écrit, 1 mars 2026, 13:00" in texts["nat@north.example"]
    assert (
        "Ivy Lane さんのメッセージ、2026年3月1日 21:00 JST"
        in texts["nia@north.example"]
    )


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ((), "Stop all mails about this project?"),
        (("de", "fr-CA"), "Ne plus recevoir aucun courriel sur ce projet"),
        (("ar",), '<html lang="ar" dir="rtl">'),
    ],
)
def test_the_page_is_in_the_language_of_the_browser(
    harness: DeliveryHarness, languages: tuple[str, ...], words: str
) -> None:
    token = token_of(harness, "nat")
    page = unsubscribe_response(
        token, act=False, deps=harness.deps, languages=languages
    )
    assert words in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "token", ["", "x", "é", "A" * 86, "A" * 5000, "..", "%00", "\0" * 43]
)
def test_an_invalid_link_is_not_found(harness: DeliveryHarness, token: str) -> None:
    for act in (False, True):
        assert (
            unsubscribe_response(token, act=act, deps=harness.deps).status_code == 404
        )


def token_of(harness: DeliveryHarness, person: str) -> str:
    return harness.delivery.unsubscribe_tokens.of([(person, "p1")])[person, "p1"]


def test_a_token_is_short_random_and_the_same_in_every_mail(
    harness: DeliveryHarness,
) -> None:
    tokens = [token_of(harness, person) for person in ("nat", "nia", "nat")]
    assert tokens[0] == tokens[2] != tokens[1]
    assert [len(token) for token in tokens] == [43] * 3
    assert UnsubscribeTokens(harness.database).of([("nat", "p1")]) == {
        ("nat", "p1"): tokens[0]
    }


def test_a_token_of_another_database_or_a_changed_one_is_invalid(
    harness: DeliveryHarness,
) -> None:
    token = token_of(harness, "nat")
    for other in (secrets.token_urlsafe(32), token[:-1], token.swapcase(), f"{token}A"):
        page = unsubscribe_response(other, act=True, deps=harness.deps)
        assert page.status_code == 404
    assert unsubscribe_response(token, act=True, deps=harness.deps).status_code == 200


def test_a_secret_is_needed() -> None:
    with pytest.raises(ValueError, match="secret"):
        MailTokens("")


def test_t23_who_sets_mails_is_queued_with_the_people_of_the_same_partner(
    harness: DeliveryHarness,
) -> None:
    choose(harness)
    assert harness.deps.groups.of("nat") == "partner north"
