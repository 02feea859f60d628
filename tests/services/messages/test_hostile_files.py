"""All attachment rows of the case file, over HTTP, on both stores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes

import pytest

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_core.file_names import safe_name
from clp_messages.clamd import Clamd
from tests.cases.attachments import reason_for
from tests.cases.loading import HostileCase, hostile_cases, written_out
from tests.chassis.raw_http import HttpResponse, Wire, request
from tests.services.messages.clamd import fake_clamd
from tests.services.messages.processes import Running
from tests.services.messages.scenario import NORTH, PDF, SOUTH, Scenario

MAX_BYTES = PUBLISHED_ATTACHMENTS.max_bytes
CASES = hostile_cases("attachment")
ROWS = {case.id: case for case in CASES}


@dataclass(frozen=True, slots=True)
class UploadHarness:
    """The running service and the names in its store."""

    running: Running
    names: Callable[[], list[str]]

    def upload(self, case: HostileCase, body: bytes, **more: str) -> HttpResponse:
        raw = quote_from_bytes(
            case.filename.encode("utf-8", "surrogateescape"), safe=""
        )
        path = f"/attachments?channel={quote(NORTH, safe='')}&name={raw}"
        return self.running.request("nat", "POST", path, body, **more)

    def post(self, *files: str, key: str, person: str = "nat") -> str:
        messages = self.running.as_(person).messages
        return messages.post(channel=NORTH, key=key, attachments=list(files)).id

    def got(self, person: str, file: str, **more: str) -> HttpResponse:
        return self.running.request(person, "GET", f"/attachments/{file}", **more)


pytestmark = pytest.mark.parametrize(
    ("database", "harness"),
    [
        ("sqlite", "folder"),
        ("sqlite", "s3"),
        pytest.param("postgres", "s3", marks=pytest.mark.broker),
    ],
    indirect=True,
)


@pytest.fixture
def harness(
    request: pytest.FixtureRequest, scenario: Scenario
) -> Iterator[UploadHarness]:
    with fake_clamd() as clamd:
        deps = {"scanner": Clamd.at(clamd.url, 5.0)}
        if request.param == "s3":
            bucket = request.getfixturevalue("objects").new_bucket()
            running = Running(scenario, files=bucket.store, **deps)
            names = bucket.names
        else:
            running = Running(scenario, **deps)

            def names() -> list[str]:
                return [path.name for path in scenario.files_kept()]

        yield UploadHarness(running, names)
        running.stop()


# Rows whose sender does more than send one file: they have tests of their own below.
OF_THEIR_OWN = {
    "attachment-068",  # says less than it sends
    "attachment-070",  # never ends
    "attachment-073",  # many files
    "attachment-091",  # the antivirus test text
    "attachment-094",  # the same bytes twice
    *(case.id for case in CASES if "op" in case.facts),
}


def test_each_file_is_accepted_or_refused_as_the_case_expects(
    harness: UploadHarness,
) -> None:
    plain = [case for case in CASES if case.id not in OF_THEIR_OWN]
    assert len(plain) == 63 - len(OF_THEIR_OWN)
    kept = 0
    for case in plain:
        body, expected = case.content(MAX_BYTES), reason_for(case)
        response = harness.upload(case, body)
        if expected != "allowed":
            assert (response.code, response.status < 500) == (expected, True), case.id
            assert len(harness.names()) == kept, case.id
        else:
            assert response.status == 201, case.id
            kept += 1
            comes_back(harness, case, (response.json["id"], body))
    assert len(harness.names()) == kept


def comes_back(
    harness: UploadHarness, case: HostileCase, sent: tuple[str, bytes]
) -> None:
    file, body = sent
    harness.post(file, key=case.id)
    got = harness.got("ivy", file)
    assert (got.status, got.body == body) == (200, True), case.id
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    (shown,) = harness.running.as_("nia").messages.page(channel=NORTH, limit=1).messages
    (attachment,) = shown.attachments
    assert attachment.name == safe_name(case.filename), case.id
    exact = got.headers["content-disposition"].rpartition("''")[2]
    assert exact == quote(attachment.name, safe="!#$&+-.^_`|~"), case.id


def test_a_body_longer_than_declared_is_cut_at_the_declared_size(
    harness: UploadHarness,
) -> None:
    case = ROWS["attachment-068"]
    path = f"/attachments?channel={quote(NORTH, safe='')}&name={case.filename}"
    bearer = f"Bearer {harness.running.passport('nat')}"
    with Wire(harness.running.address) as wire:
        # To HTTP what follows the announced ten bytes is no longer the file.
        said = str(case.facts["declared_size"])
        wire.send(request("POST", path, Authorization=bearer, Content_Length=said))
        wire.send(case.content(MAX_BYTES)[:200_000])
        response = wire.read_response()
    assert (response.status, response.json["size"]) == (201, 10)
    assert len(harness.got("nat", response.json["id"]).body) == 10


def test_a_file_that_never_ends_is_refused_at_the_limit(harness: UploadHarness) -> None:
    case = ROWS["attachment-070"]
    path = f"/attachments?channel={quote(NORTH, safe='')}&name={case.filename}"
    bearer = f"Bearer {harness.running.passport('nat')}"
    with Wire(harness.running.address) as wire:
        wire.send(
            request("POST", path, Transfer_Encoding="chunked", Authorization=bearer)
        )
        wire.send(b"9\r\n%PDF-1.7\n\r\n")
        for _ in range(MAX_BYTES // 0x10000 + 1):
            wire.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        response = wire.read_response()
        assert (response.status, response.code) == (413, "attachment.too_large")
        assert response.headers.get("connection") == "close"
    assert harness.names() == []


def test_a_message_of_twenty_files_is_refused(harness: UploadHarness) -> None:
    case = ROWS["attachment-073"]
    file = harness.upload(case, PDF).json["id"]
    with pytest.raises(Refused) as refused:
        harness.post(*[file] * case.facts["count"], key="k")
    assert refused.value.code == reason_for(case)


def test_an_infected_file_is_refused(harness: UploadHarness) -> None:
    case = ROWS["attachment-091"]
    response = harness.upload(case, case.content(MAX_BYTES))
    assert (response.status, response.code) == (422, "attachment.infected")
    assert harness.names() == []


def test_the_same_bytes_twice_are_two_files(harness: UploadHarness) -> None:
    case = ROWS["attachment-094"]
    body = case.content(MAX_BYTES)
    one, two = (harness.upload(case, body).json["id"] for _ in range(2))
    first = harness.post(one, key="k1")
    harness.post(two, key="k2")
    harness.running.as_("nat").messages.delete(message=first)
    assert harness.got("ivy", one).code == "attachment.missing"
    assert harness.got("ivy", two).body == body


def test_a_file_hidden_from_a_person_looks_missing(harness: UploadHarness) -> None:
    request = f"/attachments?channel={quote(NORTH, safe='')}&name=a.pdf"
    file = harness.running.request("nat", "POST", request, PDF).json["id"]
    # attachment-095: an upload goes where it was meant to go, by whoever sent it.
    for person, channel in (("ivy", NORTH), ("sam", SOUTH)):
        messages = harness.running.as_(person).messages
        with pytest.raises(Refused, match=r"attachment\.missing"):
            messages.post(channel=channel, key="k", attachments=[file])
    harness.post(file, key="k")
    # attachment-096: an id is no access.
    hidden, missing = harness.got("sam", file), harness.got("sam", "f" * 32)
    assert (hidden.status, hidden.body) == (missing.status, missing.body)
    # attachment-098 and 099: odd ranges do bounded work.
    past = harness.got("ivy", file, Range=ROWS["attachment-098"].facts["range"])
    assert (past.status, past.code) == (416, "range.outside")
    many = written_out(ROWS["attachment-099"].facts["range"])
    assert harness.got("ivy", file, Range=many).body == PDF
    # attachment-097: an address serves nobody who lost access, from that moment on.
    assert harness.got("nia", file).status == 200
    harness.running.scenario.projects.withdraw("p1", "north")
    assert harness.got("nia", file).body == missing.body


def test_a_part_is_read_from_either_store(harness: UploadHarness) -> None:
    request = f"/attachments?channel={quote(NORTH, safe='')}&name=a.pdf"
    body = PDF + bytes(range(256)) * 1024
    file = harness.running.request(
        "nat", "POST", request, body.ljust(300_000, b"x")
    ).json["id"]
    got = harness.got("nat", file, Range="bytes=70000-200000")
    assert (got.status, got.body) == (206, body.ljust(300_000, b"x")[70_000:200_001])
    head = harness.running.request("nat", "HEAD", f"/attachments/{file}")
    assert (head.status, head.headers["content-length"]) == (200, "300000")
