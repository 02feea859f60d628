"""The service as it runs: calls over a broker, files over HTTP."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from clp_chassis.clock import now
from clp_contracts.client import Clients
from clp_contracts.errors import Refused
from clp_contracts.events import SCHEDULE_ANNOUNCED
from clp_contracts.feed import Change, Changes
from clp_contracts.messages import MailReader
from clp_contracts.methods import PassportKind
from clp_contracts.projects import Announcement
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_messages.service import MessagesService
from tests.chassis.raw_http import Wire, request
from tests.services.messages.processes import Running, path_of
from tests.services.messages.scenario import BROADCAST, NORTH, PDF, SOUTH, Scenario
from tests.support.waiting import until

MAX_BYTES = PUBLISHED_ATTACHMENTS.max_bytes


@pytest.fixture
def running(scenario: Scenario) -> Iterator[Running]:
    served = Running(scenario)
    yield served
    served.stop()


def test_a_conversation_over_rpc(running: Running) -> None:
    ivy, nat = running.as_("ivy").messages, running.as_("nat").messages
    posted = ivy.post(channel=NORTH, text="hello @Nat Moreau", key="k1")
    assert posted.mentions[0].outcome == "mentioned"
    assert nat.unread(projects=["p1"]).projects[0].unread == 1
    assert [m.text for m in nat.page(channel=NORTH).messages] == ["hello @Nat Moreau"]
    assert nat.mark_read(channel=NORTH, number=1).number == 1
    assert ivy.edit(message=posted.id, text="bye").revision == 2
    assert [c.name for c in nat.channels(project="p1").channels] == [BROADCAST, NORTH]
    assert [p.id for p in nat.mentionable(channel=NORTH, typed="iv").people] == ["ivy"]
    assert ivy.delete(message=posted.id).revision == 3
    search = running.as_("search", PassportKind.SERVICE).messages
    assert search.get_messages(message_ids=[posted.id]).messages[0].message.deleted
    notifications = running.as_("notifications", PassportKind.SERVICE).messages
    deleted = notifications.readable_messages(
        readers=[MailReader(person="nat", message_ids=(posted.id,))]
    )
    assert deleted.readers[0].readable == ()
    operations = running.as_("operations", PassportKind.SERVICE).messages
    until(lambda: operations.progress().pending == 0)
    assert [c.position for c in search.changes().changes] == [1, 2, 3]


# method                                        | kinds that are refused
KINDS: list[tuple[str, Callable[[Clients], object], set[PassportKind]]] = [
    ("post", lambda c: c.messages.post(channel=NORTH, text="x", key="k"), {PassportKind.SERVICE}),
    ("edit", lambda c: c.messages.edit(message="x", text="x"), {PassportKind.SERVICE}),
    ("delete", lambda c: c.messages.delete(message="x"), {PassportKind.SERVICE}),
    ("page", lambda c: c.messages.page(channel=NORTH), {PassportKind.SERVICE}),
    ("conversation", lambda c: c.messages.conversation(channel=NORTH), {PassportKind.SERVICE}),
    ("channels", lambda c: c.messages.channels(project="p1"), {PassportKind.SERVICE}),
    ("mark_read", lambda c: c.messages.mark_read(channel=NORTH, number=1), {PassportKind.SERVICE}),
    ("unread", lambda c: c.messages.unread(projects=["p1"]), {PassportKind.SERVICE}),
    ("mentionable", lambda c: c.messages.mentionable(channel=NORTH), {PassportKind.SERVICE}),
    ("get_messages", lambda c: c.messages.get_messages(message_ids=[]), {PassportKind.PERSON}),
    ("message_channel", lambda c: c.messages.message_channel(message="x"), {PassportKind.PERSON}),
    ("readable_messages", lambda c: c.messages.readable_messages(readers=[]), {PassportKind.PERSON}),
    ("screen_messages", lambda c: c.messages.screen_messages(people=[], message_ids=[]), {PassportKind.PERSON}),
    ("changes", lambda c: c.messages.changes(), {PassportKind.PERSON}),
    ("progress", lambda c: c.messages.progress(), {PassportKind.PERSON}),
]  # fmt: skip


def test_each_method_accepts_its_kinds_of_passport(running: Running) -> None:
    for name, call, refused_kinds in KINDS:
        subjects = {
            PassportKind.PERSON: "ivy",
            # One that the method names; another one is refused (T25).
            PassportKind.SERVICE: min(
                getattr(MessagesService, name).clp_subjects, default="search"
            ),
        }
        for kind, subject in subjects.items():
            try:
                call(running.as_(subject, kind))
                code = ""
            except Refused as refusal:
                code = refusal.code
            assert (code == "passport.wrong_kind") is (kind in refused_kinds), name


def test_an_announcement_becomes_a_broadcast_by_itself(running: Running) -> None:
    projects = running.scenario.projects
    projects.announcements["a1"] = Announcement(
        id="a1", project="p1", kind="audio_available", facts={"language": "fr"}
    )
    change = Change(
        position=1,
        type=SCHEDULE_ANNOUNCED,
        subject="a1",
        project="p1",
        at=now(),
        detail={},
    )

    def changes(*, after: int = 0, limit: int = 200) -> Changes:
        del limit
        return Changes(changes=(change,) if after == 0 else (), head=1)

    projects.changes = changes  # type: ignore[method-assign]
    nat = running.as_("nat").messages
    until(lambda: nat.page(channel=BROADCAST).messages)
    assert [m.text for m in nat.page(channel=BROADCAST).messages] == [
        "Audio is available."
    ]


def test_a_file_is_uploaded_posted_and_downloaded(running: Running) -> None:
    name = 'the "final" cut – 字幕.pdf'
    body = PDF.ljust(MAX_BYTES, b"\n")
    uploaded = running.upload("nat", name, body)
    assert uploaded.status == 201
    assert set(uploaded.json) == {"id", "name", "size", "state"}
    file = uploaded.json["id"]
    running.as_("nat").messages.post(channel=NORTH, key="k", attachments=[file])
    got = running.request("ivy", "GET", f"/attachments/{file}")
    assert (got.status, got.body) == (200, body)
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert quote(name) in got.headers["content-disposition"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["cache-control"] == "private, no-store"


# path                                         | body                 | status | code
UPLOADS = [
    (path_of(NORTH, "a.exe"), PDF, 415, "attachment.type_refused"),
    (path_of(NORTH, "a.pdf"), b"MZ\x90\x00", 415, "attachment.content_mismatch"),
    (path_of(NORTH, "a.pdf"), b"", 422, "attachment.empty"),
    (path_of(NORTH, ""), PDF, 422, "attachment.name_unsafe"),
    ("/attachments?channel=p1/direct/north&name=..%c0%af..%c0%afx.pdf", PDF, 422, "attachment.name_unsafe"),
    (path_of(NORTH, "a.pdf"), PDF.ljust(MAX_BYTES + 1), 413, "attachment.too_large"),
    (path_of(SOUTH, "a.pdf"), PDF, 404, "channel.missing"),
    (path_of("nowhere/broadcast", "a.pdf"), PDF, 404, "channel.missing"),
    (path_of("p1/direct/\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "a.pdf"), PDF, 404, "channel.missing"),
    (path_of(BROADCAST, "a.pdf"), PDF, 403, "broadcast.internal_only"),
    ("/attachments", PDF, 400, "request.malformed"),
    ("/attachments?channel=p1/direct/north", PDF, 400, "request.malformed"),
    (path_of(NORTH, "a.pdf") + "&name=b.pdf", PDF, 400, "request.malformed"),
    (path_of(NORTH, "a.pdf") + "&more=1", PDF, 400, "request.malformed"),
    (path_of(NORTH, "a.pdf") + "&x" * 50, PDF, 400, "request.malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "code"), UPLOADS)
def test_an_upload_is_refused_as_json(
    running: Running, path: str, body: bytes, status: int, code: str
) -> None:
    response = running.request("nat", "POST", path, body)
    assert (response.status, response.code) == (status, code)
    assert running.scenario.files_kept() == []


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/attachments", ["channel", "name"]),
        (path_of(NORTH, "a.pdf") + "&name=b.pdf", ["name"]),
        (path_of(NORTH, "a.pdf") + "&more=1", ["more"]),
        (path_of(NORTH, "a.pdf") + "&x" * 50, ["query"]),
    ],
)
def test_the_wrong_arguments_of_an_upload_are_named(
    running: Running, path: str, names: list[str]
) -> None:
    response = running.request("nat", "POST", path, PDF)
    assert sorted(response.json["detail"]["fields"]) == names


def test_nothing_is_uploaded_without_a_persons_passport(running: Running) -> None:
    with Wire(running.address) as wire:
        bearer = f"Bearer {running.passport('search', PassportKind.SERVICE)}"
        response = wire.request(
            "POST", path_of(BROADCAST, "a.pdf"), PDF, Authorization=bearer
        )
        assert (response.status, response.code) == (403, "passport.wrong_kind")


def test_an_endless_upload_is_cut_off_at_the_limit(running: Running) -> None:
    with Wire(running.address) as wire:
        bearer = f"Bearer {running.passport('nat')}"
        path = path_of(NORTH, "a.pdf")
        wire.send(
            request("POST", path, Transfer_Encoding="chunked", Authorization=bearer),
            b"9\r\n%PDF-1.7\n\r\n",
        )
        for _ in range(MAX_BYTES // 65536 + 40):
            wire.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        response = wire.read_response()
    assert (response.status, response.code) == (413, "attachment.too_large")
    assert running.scenario.files_kept() == []


def test_a_hidden_file_responds_like_a_missing_one(running: Running) -> None:
    file = running.upload("sam", "a.pdf", channel=SOUTH).json["id"]
    running.as_("sam").messages.post(channel=SOUTH, key="k", attachments=[file])
    for verb in ("GET", "HEAD"):
        for more in ({}, {"Range": "bytes=0-3"}, {"If_None_Match": "*"}):
            hidden = running.request("nat", verb, f"/attachments/{file}", **more)
            missing = running.request("nat", verb, f"/attachments/{'f' * 32}", **more)
            for response in (hidden, missing):
                response.headers.pop("date")
            assert (hidden.status, hidden.headers, hidden.body) == (
                missing.status,
                missing.headers,
                missing.body,
            )
            assert hidden.status == 404
    assert (
        json.loads(running.request("nat", "GET", f"/attachments/{file}").body)["code"]
        == "attachment.missing"
    )


# Range                            | status | bytes of 100      | Content-Range
RANGES = [
    ("bytes=0-9", 206, range(10), "bytes 0-9/100"),
    ("bytes=-1", 206, range(99, 100), "bytes 99-99/100"),
    ("bytes=99999999-", 416, None, "bytes */100"),
    ("bytes=0-1,5-6", 200, range(100), None),
    ("bytes=0-" + ",0-" * 1000, 200, range(100), None),
    ("lines=1-2", 200, range(100), None),
]


def test_part_of_a_file_can_be_requested(running: Running) -> None:
    body = PDF.ljust(100, b"\n")
    file = running.upload("nat", "a.pdf", body).json["id"]
    for requested, status, numbers, content_range in RANGES:
        response = running.request(
            "nat", "GET", f"/attachments/{file}", Range=requested
        )
        assert (response.status, response.headers.get("content-range")) == (
            status,
            content_range,
        )
        if numbers is None:
            assert response.code == "range.outside"
        else:
            assert response.body == body[numbers.start : numbers.stop]
    # We give no validator, so none can match.
    whole = running.request(
        "nat", "GET", f"/attachments/{file}", Range="bytes=0-9", If_Range='"x"'
    )
    assert (whole.status, whole.body) == (200, body)


def test_a_head_request_gives_the_size_without_a_body(running: Running) -> None:
    file = running.upload("nat", "a.pdf").json["id"]
    with Wire(running.address) as wire:
        bearer = f"Bearer {running.passport('nat')}"
        for _ in range(2):
            response = wire.request(
                "HEAD", f"/attachments/{file}", Authorization=bearer
            )
            assert (response.status, response.headers["content-length"]) == (
                200,
                str(len(PDF)),
            )


def test_a_file_the_store_lost_is_a_failure_and_not_an_empty_file(
    running: Running,
) -> None:
    file = running.upload("nat", "a.pdf").json["id"]
    for path in running.scenario.files_kept():
        path.unlink()
    response = running.request("nat", "GET", f"/attachments/{file}")
    assert (response.status, response.code) == (500, "service.failed")
