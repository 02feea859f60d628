"""The pages without any script: read, post, follow, search, settings."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from clp_suite import EmbeddedSuite
from tests.services.portal.browser import Browser, field_of
from tests.services.portal.conftest import BROADCAST, NORTH, PROJECT, SOUTH

Open = Callable[..., Browser]


@pytest.fixture
def post(suite: EmbeddedSuite) -> Callable[..., int]:
    """Post as somebody; every message has a key of its own."""
    numbers = iter(range(1_000_000))

    def posted(person: str, channel: str, text: str) -> int:
        key = f"{channel}-{text[:20]}-{next(numbers)}-{id(numbers)}"
        return (
            suite.client(person)
            .messages.post(channel=channel, key=key, text=text)
            .number
        )

    return posted


def test_my_projects_show_what_is_followed_and_what_is_new(
    browser: Open, post: Callable[..., int]
) -> None:
    post("ivy", BROADCAST, "Welcome aboard.")
    page = browser("nat").get("/")
    assert "Night Train" in page.text
    assert "Paper Moon" not in page.text
    assert "French" in page.text
    assert "Spanish" not in page.text
    assert re.search(r'class="badge" href="/p1/broadcast/\d+#m\d+"', page.text)
    assert re.search(r"\d+ new messages? in Night Train", page.text)


def test_somebody_who_follows_nothing_is_told_what_to_do(browser: Open) -> None:
    assert "You follow no project yet." in browser("wes").get("/").text


def test_a_project_is_found_followed_and_unfollowed(browser: Open) -> None:
    somebody = browser("ian")
    found = somebody.get("/-/projects?q=moon")
    assert "Paper Moon" in found.text
    assert "Night Train" not in found.words.replace("Night Train?", "")
    page = somebody.post("/p2/-/following", following="1", next="/-/projects?q=moon")
    assert page.url == "/-/projects?q=moon"
    assert "Unfollow Paper Moon" in page.text
    assert "Paper Moon" in somebody.get("/").text
    somebody.post("/p2/-/following", following="0", next="/")
    assert "Paper Moon" not in somebody.get("/").text


def test_a_partner_finds_its_own_projects_only(browser: Open) -> None:
    assert "Paper Moon" not in browser("nat").get("/-/projects?q=moon").text
    assert "Night Train" in browser("nat").get("/-/projects?q=night").text
    assert "Night Train" not in browser("wes").get("/-/projects?q=night").text


def test_a_message_is_posted_and_shown(browser: Open) -> None:
    somebody = browser("nat")
    page = somebody.get(f"/{NORTH}")
    key = field_of(page, "key")
    page = somebody.post(
        f"/{NORTH}", text="Is scene 2 ready?\r\n@Ivy Lane", key=key, action="post"
    )
    assert page.status == 200
    assert "Is scene 2 ready?\n" in page.text
    assert "Ivy Lane will be told." in page.words
    assert field_of(page, "key") != key
    assert "Ivy Lane will be told." not in somebody.get(f"/{NORTH}").words


def test_a_form_that_is_sent_twice_posts_once(browser: Open) -> None:
    somebody = browser("nat")
    key = field_of(somebody.get(f"/{NORTH}"), "key")
    first = somebody.post(f"/{NORTH}", text="Only once, please.", key=key)
    again = somebody.post(f"/{NORTH}", text="Only once, please.", key=key)
    assert first.url == again.url
    assert again.text.count("Only once, please.") == 1


def test_what_cannot_be_posted_stays_in_the_form(browser: Open) -> None:
    somebody = browser("nat")
    page = somebody.post(f"/{NORTH}", text="x" * 10_001, key="too-long")
    assert page.status == 422
    assert "The text is too long" in page.text
    assert "x" * 10_001 in page.text
    empty = somebody.post(f"/{NORTH}", text="  ", key="empty")
    assert "Write a text or attach a file." in empty.text


def test_markup_in_a_text_stays_text(browser: Open, post: Callable[..., int]) -> None:
    number = post("ivy", NORTH, "<script>alert(1)</script> & <b>bold</b>")
    page = browser("nat").get(f"/{NORTH}/{number}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold" in page.text


def test_files_are_attached_by_the_form_and_downloaded(browser: Open) -> None:
    somebody, ivy = browser("nat"), browser("ivy")
    key = field_of(somebody.get(f"/{NORTH}"), "key")
    page = somebody.upload(
        f"/{NORTH}", {"text": "", "key": key}, {"cue sheet.csv": b"scene,cue\n1,2\n"}
    )
    assert "cue sheet.csv" in page.text
    address = re.findall(r'href="(/-/attachments/[^"]+)"', page.text)[-1]
    got = ivy.get(address)
    assert got.status == 200
    assert got.body == b"scene,cue\n1,2\n"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert browser("sam").get(address).status == 404


def test_a_range_of_a_file_is_passed_on(browser: Open) -> None:
    somebody = browser("nat")
    stored = somebody.send(
        "POST",
        f"/-/api/channels/{NORTH}/attachments?name=a.csv",
        body=b"a,b\n1,2\n3,4\n",
        headers={
            "Content-Type": "application/octet-stream",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert stored.status == 201, stored.text
    somebody.post(
        f"/{NORTH}",
        key="with-a-range",
        text="",
        attachment=f"{stored.json['id']} 12 a.csv",
    )
    part = somebody.get(f"/-/attachments/{stored.json['id']}", Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"b\n1")
    another = {"Range": "bytes=2-4", "If_Range": '"another"'}
    whole = somebody.get(f"/-/attachments/{stored.json['id']}", **another)
    assert (whole.status, whole.body[2:5]) == (200, b"b\n1")


def test_a_file_that_is_refused_is_named_and_nothing_is_posted(browser: Open) -> None:
    somebody = browser("nat")
    before = somebody.get(f"/{NORTH}").text.count('<li class="message')
    page = somebody.upload(
        f"/{NORTH}", {"text": "Look", "key": "with-an-exe"}, {"tool.exe": b"MZ"}
    )
    assert page.status == 415
    assert "tool.exe: Files of this type cannot be attached." in page.words
    assert page.text.count('<li class="message') == before


def test_a_message_is_edited_and_deleted_in_its_place(
    browser: Open, post: Callable[..., int]
) -> None:
    number = post("nat", NORTH, "A text with a mistkae.")
    somebody = browser("nat")
    address = f"/{NORTH}/{number}"
    form = somebody.get(f"{address}?edit=1")
    message, revision = field_of(form, "message"), field_of(form, "revision")
    page = somebody.post(
        address,
        action="edit",
        message=message,
        revision=revision,
        text="A text without one.",
    )
    assert "A text without one." in page.text
    assert "edited" in page.words
    assert "mistkae" not in page.text
    stale = somebody.post(
        address, action="edit", message=message, revision=revision, text="Late."
    )
    assert stale.status == 412
    assert "Delete this message?" in somebody.get(f"{address}?delete=1").text
    page = somebody.post(address, action="delete", message=message)
    assert "This message was deleted." in page.words
    assert "A text without one." not in page.text


def test_nobody_edits_what_somebody_else_wrote(
    browser: Open, post: Callable[..., int]
) -> None:
    number = post("ivy", NORTH, "From the studio.")
    somebody = browser("nat")
    page = somebody.get(f"/{NORTH}/{number}?edit=1")
    assert 'name="message"' not in page.text
    told = browser("ivy").call(
        "GET", f"/-/api/channels/{NORTH}/messages?around={number}&limit=1"
    )
    (message,) = told.json["messages"]
    refused = somebody.post(
        f"/{NORTH}/{number}", action="edit", message=message["id"], text="Mine now."
    )
    assert refused.status == 403


def test_earlier_texts_are_for_the_studio(
    browser: Open, post: Callable[..., int], suite: EmbeddedSuite
) -> None:
    number = post("nat", NORTH, "The first text.")
    nat = suite.client("nat").messages
    (message,) = nat.page(channel=NORTH, around=number, limit=1).messages
    nat.edit(message=message.id, text="The second text.")
    address = f"/-/messages/{message.id}/revisions"
    assert "The first text." in browser("ivy").get(address).text
    assert browser("nat").get(address).status == 404


def test_reading_leads_to_the_first_unread_message(
    browser: Open, post: Callable[..., int]
) -> None:
    somebody = browser("nia")
    somebody.post(f"/{NORTH}", action="mark-read")
    somebody.post(f"/{BROADCAST}", action="mark-read")
    assert somebody.get(f"/{PROJECT}").url == f"/{BROADCAST}"
    first = post("ivy", NORTH, "The first new one.")
    post("ivy", NORTH, "The second new one.")
    page = somebody.get(f"/{PROJECT}")
    assert page.url == f"/{NORTH}/{first}"
    assert page.text.count("New messages</span>") == 1
    assert page.words.index("New messages") < page.words.index("The first new one.")
    page = somebody.post(f"/{NORTH}", action="mark-read")
    assert "New messages</span>" not in page.text
    assert somebody.get(f"/{PROJECT}").url == f"/{BROADCAST}"


def test_pages_lead_to_older_and_newer_messages(
    browser: Open, post: Callable[..., int]
) -> None:
    numbers = [post("ian", SOUTH, f"Line number {n}.") for n in range(130)]
    somebody = browser("sam")
    page = somebody.get(f"/{SOUTH}?latest=1")
    assert "Line number 129." in page.text
    assert "Line number 70." not in page.text
    older = re.search(r'href="([^"]+)" data-older', page.text)
    assert older is not None
    page = somebody.get(older[1])
    assert "Line number 79." in page.text
    assert "Line number 80." not in page.text
    newer = re.search(r'href="([^"]+)" data-newer', page.text)
    assert newer is not None
    assert "Line number 80." in somebody.get(newer[1]).text
    page = somebody.get(f"/{SOUTH}/{numbers[10]}")
    assert "Line number 0." in page.text
    assert "The beginning of this channel" in page.text


def test_the_author_sees_before_sending_whom_a_text_reaches(browser: Open) -> None:
    somebody = browser("nat")
    page = somebody.post(f"/{NORTH}", action="preview", text="Hello everybody", key="k")
    assert "Will tell the followers of the studio." in page.words
    assert "Hello everybody</textarea>" in page.text
    page = somebody.post(f"/{NORTH}", action="preview", text="@Nia Roux look", key="k")
    assert "Will tell Nia Roux." in page.words
    page = browser("ivy").post(
        f"/{BROADCAST}", action="preview", text="Hello everybody", key="k"
    )
    assert "2 followers of North Dubbing" in page.words
    assert "1 follower of South Subtitles" in page.words


def test_keyword_search_finds_marks_and_leads_there(
    browser: Open, post: Callable[..., int], suite: EmbeddedSuite
) -> None:
    number = post("ivy", NORTH, "The zebra scene was recut.")
    post("ivy", BROADCAST, "A zebra for everybody.")
    suite.settle()
    somebody = browser("nat")
    page = somebody.get(f"/{NORTH}?q=zebra")
    assert "1 message found" in page.words
    assert "<mark>zebra</mark>" in page.text
    assert f"/{NORTH}/{number}#m{number}" in page.text
    assert "Ivy Lane" in page.text
    everywhere = somebody.get(f"/{NORTH}?q=zebra&in=project")
    assert "2 messages found" in everywhere.words
    assert "Nothing found." in browser("nat").get(f"/{NORTH}?q=giraffe").words
    assert somebody.get(f"/{NORTH}?q=").status == 422


def test_who_was_told_is_for_everybody_what_it_should_be(
    browser: Open, post: Callable[..., int], suite: EmbeddedSuite
) -> None:
    number = post("ivy", NORTH, "Please look.")
    suite.settle()
    page = browser("ivy").get(f"/{NORTH}/{number}")
    address = re.findall(r'href="(/-/messages/[^"]+/explanation)"', page.text)[-1]
    studio = browser("ivy").get(address)
    assert "Nat Moreau" in studio.text
    assert "Ian Moss" in studio.text
    (row,) = re.findall(r"Nat Moreau(.*?)<details", studio.text, re.DOTALL)
    assert re.sub(r"<[^>]*>", "", row).strip() == (
        "told: follows the project, the studio wrote to their partner;"
        " the mail server accepted the mail"
    )
    partner = browser("nat").get(address)
    assert "Nat Moreau" in partner.words
    assert "Nia Roux" not in partner.text
    assert browser("sam").get(address).status == 404
    in_japanese = browser("nia", language="ja").get(address).words
    assert "通知" in in_japanese
    assert "told" not in in_japanese
    assert "the text" not in in_japanese


def test_mail_settings_are_kept(browser: Open, suite: EmbeddedSuite) -> None:
    somebody = browser("nia")
    page = somebody.post("/-/mail-settings", default="daily", **{"project:p1": "off"})
    assert "Saved." in page.words
    settings = suite.client("nia").notifications.mail_settings()
    assert settings.default == "daily"
    assert settings.content is False
    assert [(one.project, one.mode) for one in settings.projects] == [("p1", "off")]
    assert "Saved." not in somebody.get("/-/mail-settings").words


def test_a_project_follows_the_default_until_it_has_a_mode_of_its_own(
    browser: Open, suite: EmbeddedSuite
) -> None:
    somebody, settings = browser("ian"), suite.client("ian").notifications.mail_settings

    def save(default: str, project: str) -> None:
        fields = {"default": default, "project:p1": project, "content": "1"}
        assert "Saved." in somebody.post("/-/mail-settings", **fields).words

    page = somebody.get("/-/mail-settings")
    assert '<option value="default" selected>' in page.text
    save("daily", "default")
    assert (settings().default, settings().projects) == ("daily", ())
    save("daily", "off")
    assert [one.mode for one in settings().projects] == ["off"]
    save("batched", "default")
    assert settings().projects == ()


def test_a_ticket_is_sent_and_its_author_sees_it(browser: Open) -> None:
    somebody = browser("nat")
    page = somebody.get("/-/help")
    page = somebody.post(
        "/-/help",
        key=field_of(page, "key"),
        summary="The package cannot be opened",
        urgency="blocks",
        package_id="PKG-12345",
    )
    assert "Your ticket has the number" in page.words
    assert "The package cannot be opened" in page.text
    assert "The package cannot be opened" not in browser("nia").get("/-/help").text


@pytest.mark.parametrize(
    ("came_from", "filled_in"),
    [
        ("{url}/p1/direct/north?q=zebra", "{url}/p1/direct/north?q=zebra"),
        ("{url}/-/help", ""),
        ("{url}.evil.example/p1", ""),
        ("https://evil.example/p1", ""),
        ("{url}/\x09//evil", ""),
        ("", ""),
    ],
)
def test_the_form_names_the_page_from_which_somebody_comes(
    browser: Open, suite: EmbeddedSuite, came_from: str, filled_in: str
) -> None:
    page = browser("nat").get("/-/help", Referer=came_from.format(url=suite.portal_url))
    assert field_of(page, "url") == filled_in.format(url=suite.portal_url)


def test_after_the_sign_in_the_page_opens_with_its_query(browser: Open) -> None:
    response = browser().send("GET", "/p1/broadcast?q=two%20words&in=project")
    assert response.status == 303
    target = parse_qs(urlsplit(response.headers["Location"]).query)["next"][0]
    assert target == "/p1/broadcast?q=two%20words&in=project"


def test_of_many_projects_the_first_are_shown_and_all_are_a_link_away(
    browser: Open, suite: EmbeddedSuite
) -> None:
    directory = suite.client(service="directory").projects
    for number in range(60):
        directory.put_project(id=f"m{number}", title=f"Many {number}")
        suite.client("ivy").projects.follow(project=f"m{number}")
    somebody = browser("ivy")
    for path in ("/", "/-/mail-settings"):
        page = somebody.get(path)
        assert sum(f"Many {number}<" in page.text for number in range(60)) < 60
        assert "All projects" in page.words
        page = somebody.get(f"{path}?all=1")
        assert all(f"Many {number}<" in page.text for number in range(60))
        assert "All projects" not in page.words
    for number in range(60):
        suite.client("ivy").projects.unfollow(project=f"m{number}")


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Mes projets"), ("ja", "マイプロジェクト"), ("ar", "مشاريعي")],
)
def test_pages_speak_the_language_of_the_reader(
    browser: Open, language: str, words: str
) -> None:
    page = browser("ian", language=language).get("/")
    assert words in page.text
    assert f'<html lang="{language}"' in page.text
    assert ('dir="rtl"' in page.text) == (language == "ar")
