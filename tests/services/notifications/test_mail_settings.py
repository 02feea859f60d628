"""When a person wants mails, and the link that stops them (H7)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.errors import Refused
from clp_contracts.notifications import AskMailSettings, MailSettings
from clp_notifications.delivery.letters import Manner
from clp_notifications.mail.tokens import Seals
from clp_notifications.routing.mail_settings import mail_settings
from clp_notifications.service.unsubscribe_page import stop_answer
from tests.services.notifications.harness import SEALS, Works
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import BROADCAST, World


def choose(
    works: Works,
    actor: str = "nat",
    project: str | None = None,
    mode: str | None = None,
    *,
    content: bool | None = None,
) -> MailSettings:
    ask = AskMailSettings(project=project, mode=mode, content=content)
    return mail_settings(ask, actor=actor, parts=works.parts)


def modes(settings: MailSettings) -> dict[str, str]:
    return {"": settings.default} | {one.project: one.mode for one in settings.projects}


def test_nobody_has_chosen_anything_at_first(works: Works) -> None:
    assert modes(choose(works)) == {"": "batched"}


def test_a_choice_is_remembered_for_its_project_and_its_person(works: Works) -> None:
    choose(works, mode="daily")
    assert modes(choose(works, project="p1", mode="off")) == {"": "daily", "p1": "off"}
    choose(works, project="p1", mode="at_once")
    assert modes(choose(works)) == {"": "daily", "p1": "at_once"}
    assert modes(choose(works, "nia")) == {"": "batched"}


def test_a_mode_that_does_not_exist_is_refused(works: Works) -> None:
    with pytest.raises(Refused) as refused:
        choose(works, mode="never")
    assert refused.value.code == "ask.malformed"


@pytest.mark.parametrize(
    ("actor", "project"),
    [("nat", "p9"), ("lin", None), ("lin", "p1"), ("nobody", None), ("nobody", "p1")],
)
@pytest.mark.parametrize("mode", [None, "off", "never"])
def test_a_closed_project_and_a_closed_portal_are_missing(
    works: Works, actor: str, project: str | None, mode: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        choose(works, actor, project, mode)
    assert (refused.value.code, refused.value.detail) == ("project.missing", {})


def test_a_withdrawn_partner_s_person_has_no_project_to_choose_for(
    works: Works, world: World
) -> None:
    world.withdraw("north")
    with pytest.raises(Refused) as refused:
        choose(works, project="p1", mode="off")
    assert refused.value.code == "project.missing"


def test_at_once_does_not_wait_for_the_window(works: Works, world: World) -> None:
    works.window(60)
    choose(works, project="p1", mode="at_once")
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    works.run()
    assert works.tray.recipients == ["nat@north.example"]


def test_daily_waits_for_the_morning_and_is_one_mail(
    works: Works, world: World
) -> None:
    choose(works, mode="daily")
    world.follow("nat")
    for _ in range(3):
        world.post("ivy", BROADCAST)
        works.run()
        world.clock.forward(hours=5)
    assert not works.tray.mails
    world.clock.forward(hours=4)
    works.run()
    assert len(works.tray.mails) == 1
    assert cut_up(works.tray.mails[0].data).text.count("Ivy Lane wrote") == 3


def test_a_mention_does_not_wait_for_the_morning(works: Works, world: World) -> None:
    choose(works, mode="daily")
    world.post("ivy", BROADCAST, mentions=["nat"])
    works.run()
    assert works.tray.recipients == ["nat@north.example"]


def stop_link(works: Works) -> str:
    header = cut_up(works.tray.mails[-1].data).one("List-Unsubscribe")
    return header.partition("<https://clp.example/mail/stop/")[2].partition(">")[0]


def test_looking_at_the_link_changes_nothing(works: Works, world: World) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.run()
    page = stop_answer(stop_link(works), act=False, parts=works.parts)
    assert page.status_code == 200
    assert '<form method="post">' in page.get_data(as_text=True)
    assert modes(choose(works)) == {"": "batched"}


def test_one_click_stops_the_project_s_mails_at_once(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    works.run()
    token = next(
        cut_up(mail.data)
        .one("List-Unsubscribe")
        .partition("/stop/")[2]
        .partition(">")[0]
        for mail in works.tray.to("nat@north.example")
    )
    waiting = world.post("ivy", BROADCAST)
    works.route()
    assert stop_answer(token, act=True, parts=works.parts).status_code == 200
    assert stop_answer(token, act=True, parts=works.parts).status_code == 200
    works.deliver()
    assert works.states(waiting) == {
        "nat": ("suppressed", "mail_off"),
        "nia": ("sent", "accepted"),
    }
    assert modes(choose(works)) == {"": "batched", "p1": "off"}


def test_mails_show_what_was_written_until_their_reader_chooses_otherwise(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia")
    assert choose(works).content
    assert not choose(works, content=False).content
    assert not choose(works, mode="at_once").content
    world.post("ivy", BROADCAST, "the secret ending", files=[("ending.mov", 5)])
    works.run()
    ((hidden,), (shown,)) = (
        works.tray.to(f"{person}@north.example") for person in ("nat", "nia")
    )
    for word in ("secret", "ending", "Ivy"):
        assert word not in everything_in(hidden.data)
        assert word in everything_in(shown.data)
    assert choose(works, content=True).content
    world.post("ivy", BROADCAST, "the secret beginning")
    works.run()
    assert "> the secret beginning" in cut_up(works.tray.mails[-1].data).text


def test_a_house_without_content_leaves_its_readers_no_choice(
    works: Works, world: World
) -> None:
    works.desk = replace(works.desk, manner=Manner(content=False))
    choose(works, content=True)
    world.follow("nat")
    world.post("ivy", BROADCAST, "the secret ending", files=[("ending.mov", 5)])
    works.run()
    (mail,) = works.tray.mails
    for word in ("secret", "ending", "Ivy"):
        assert word not in everything_in(mail.data)


def everything_in(data: bytes) -> str:
    parts = cut_up(data)
    return f"{data.decode()}\n{parts.head}\n{parts.text}\n{parts.html}"


def test_a_mail_speaks_its_reader_s_language_or_the_house_s(
    works: Works, world: World
) -> None:
    works.desk = replace(
        works.desk, manner=Manner(language="ja", time_zone="Asia/Tokyo")
    )
    world.follow("nat", "nia")
    world.change_person("nat", language="fr", time_zone="Europe/Paris")
    world.post("ivy", BROADCAST)
    works.run()
    texts = {str(m.recipient): cut_up(m.data).text for m in works.tray.mails}
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
def test_the_page_speaks_the_language_of_the_browser(
    works: Works, languages: tuple[str, ...], words: str
) -> None:
    token = SEALS.stop_token("nat", "p1")
    page = stop_answer(token, act=False, parts=works.parts, languages=languages)
    assert words in page.get_data(as_text=True)


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 86, "A" * 5000, "..", "%00"])
def test_a_link_that_is_not_ours_leads_nowhere(works: Works, token: str) -> None:
    for act in (False, True):
        assert stop_answer(token, act=act, parts=works.parts).status_code == 404


def test_a_link_of_another_house_is_not_ours(works: Works) -> None:
    token = Seals("another secret").stop_token("nat", "p1")
    assert stop_answer(token, act=True, parts=works.parts).status_code == 404


def test_one_letter_changed_makes_a_link_worthless() -> None:
    token = SEALS.stop_token("nat", "p1")
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        assert SEALS.read_stop_token(token[:place] + other + token[place + 1 :]) in (
            None,
            ("nat", "p1"),
        )
    assert SEALS.read_stop_token(token) == ("nat", "p1")


ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


@pytest.mark.property
@given(ids, ids)
def test_a_token_is_opaque_and_leads_back_to_its_person_and_project(
    person: str, project: str
) -> None:
    token = SEALS.stop_token(person, project)
    assert SEALS.read_stop_token(token) == (person, project)
    assert len(person) < 4 or person not in token


def test_a_secret_is_needed() -> None:
    with pytest.raises(ValueError, match="secret"):
        Seals("")
