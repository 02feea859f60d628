"""All attachment rows of the case file, over HTTP and on both stores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes

import pytest

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS, safe_name
from clp_messages.clamd import Clamd
from tests.cases.attachments import answer_to
from tests.cases.loading import HostileCase, hostile_cases, written_out
from tests.chassis.raw_http import Answer, Wire, request
from tests.services.messages.clamd import fake_clamd
from tests.services.messages.processes import Running
from tests.services.messages.scenario import NORTH, PDF, SOUTH, Stage

MOST = PUBLISHED_ATTACHMENTS.max_bytes
CASES = hostile_cases("attachment")
ROWS = {case.id: case for case in CASES}


@dataclass(frozen=True, slots=True)
class House:
    """The running service, and what its store keeps."""

    running: Running
    names: Callable[[], list[str]]

    def upload(self, case: HostileCase, body: bytes, **more: str) -> Answer:
        raw = quote_from_bytes(
            case.filename.encode("utf-8", "surrogateescape"), safe=""
        )
        path = f"/attachments?channel={quote(NORTH, safe='')}&name={raw}"
        return self.running.ask("nat", "POST", path, body, **more)

    def post(self, *files: str, key: str, person: str = "nat") -> str:
        messages = self.running.as_(person).messages
        return messages.post(channel=NORTH, key=key, attachments=list(files)).id

    def got(self, person: str, file: str, **more: str) -> Answer:
        return self.running.ask(person, "GET", f"/attachments/{file}", **more)


pytestmark = pytest.mark.parametrize(
    ("database", "house"),
    [
        ("sqlite", "folder"),
        ("sqlite", "s3"),
        pytest.param("postgres", "s3", marks=pytest.mark.broker),
    ],
    indirect=True,
)


@pytest.fixture
def house(request: pytest.FixtureRequest, stage: Stage) -> Iterator[House]:
    with fake_clamd() as clamd:
        parts = {"scanner": Clamd.at(clamd.url, 5.0)}
        if request.param == "s3":
            bucket = request.getfixturevalue("objects").new_bucket()
            running = Running(stage, files=bucket.store, **parts)
            names = bucket.names
        else:
            running = Running(stage, **parts)

            def names() -> list[str]:
                return [path.name for path in stage.files_kept()]

        yield House(running, names)
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


def test_each_file_is_taken_or_refused_as_the_case_expects(house: House) -> None:
    plain = [case for case in CASES if case.id not in OF_THEIR_OWN]
    assert len(plain) == 63 - len(OF_THEIR_OWN)
    kept = 0
    for case in plain:
        body, expected = case.content(MOST), answer_to(case)
        answer = house.upload(case, body)
        if expected != "allowed":
            assert (answer.code, answer.status < 500) == (expected, True), case.id
            assert len(house.names()) == kept, case.id
        else:
            assert answer.status == 201, case.id
            kept += 1
            comes_back(house, case, (answer.json["id"], body))
    assert len(house.names()) == kept


def comes_back(house: House, case: HostileCase, sent: tuple[str, bytes]) -> None:
    file, body = sent
    house.post(file, key=case.id)
    got = house.got("ivy", file)
    assert (got.status, got.body == body) == (200, True), case.id
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    (shown,) = house.running.as_("nia").messages.page(channel=NORTH, limit=1).messages
    (attachment,) = shown.attachments
    assert attachment.name == safe_name(case.filename), case.id
    exact = got.headers["content-disposition"].rpartition("''")[2]
    assert exact == quote(attachment.name, safe="!#$&+-.^_`|~"), case.id


def test_a_file_that_says_less_than_it_sends_is_as_long_as_it_says(
    house: House,
) -> None:
    case = ROWS["attachment-068"]
    path = f"/attachments?channel={quote(NORTH, safe='')}&name={case.filename}"
    bearer = f"Bearer {house.running.passport('nat')}"
    with Wire(house.running.address) as wire:
        # To HTTP what follows the announced ten bytes is no longer the file.
        said = str(case.facts["declared_size"])
        wire.say(request("POST", path, Authorization=bearer, Content_Length=said))
        wire.say(case.content(MOST)[:200_000])
        answer = wire.hear()
    assert (answer.status, answer.json["size"]) == (201, 10)
    assert len(house.got("nat", answer.json["id"]).body) == 10


def test_a_file_that_never_ends_is_refused_at_the_limit(house: House) -> None:
    case = ROWS["attachment-070"]
    path = f"/attachments?channel={quote(NORTH, safe='')}&name={case.filename}"
    bearer = f"Bearer {house.running.passport('nat')}"
    with Wire(house.running.address) as wire:
        wire.say(
            request("POST", path, Transfer_Encoding="chunked", Authorization=bearer)
        )
        wire.say(b"9\r\n%PDF-1.7\n\r\n")
        for _ in range(MOST // 0x10000 + 1):
            wire.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        answer = wire.hear()
        assert (answer.status, answer.code) == (413, "attachment.too_large")
        assert answer.headers.get("connection") == "close"
    assert house.names() == []


def test_a_message_of_twenty_files_is_refused(house: House) -> None:
    case = ROWS["attachment-073"]
    file = house.upload(case, PDF).json["id"]
    with pytest.raises(Refused) as refused:
        house.post(*[file] * case.facts["count"], key="k")
    assert refused.value.code == answer_to(case)


def test_what_the_scanner_knows_is_refused(house: House) -> None:
    case = ROWS["attachment-091"]
    answer = house.upload(case, case.content(MOST))
    assert (answer.status, answer.code) == (422, "attachment.infected")
    assert house.names() == []


def test_the_same_bytes_twice_are_two_files(house: House) -> None:
    case = ROWS["attachment-094"]
    body = case.content(MOST)
    one, two = (house.upload(case, body).json["id"] for _ in range(2))
    first = house.post(one, key="k1")
    house.post(two, key="k2")
    house.running.as_("nat").messages.delete(message=first)
    assert house.got("ivy", one).code == "attachment.missing"
    assert house.got("ivy", two).body == body


def test_who_may_not_have_a_file_meets_nothing(house: House) -> None:
    ask = f"/attachments?channel={quote(NORTH, safe='')}&name=a.pdf"
    file = house.running.ask("nat", "POST", ask, PDF).json["id"]
    # attachment-095: an upload goes where it was meant to go, by whoever sent it.
    for person, channel in (("ivy", NORTH), ("sam", SOUTH)):
        messages = house.running.as_(person).messages
        with pytest.raises(Refused, match=r"attachment\.missing"):
            messages.post(channel=channel, key="k", attachments=[file])
    house.post(file, key="k")
    # attachment-096: an id is no access.
    hidden, missing = house.got("sam", file), house.got("sam", "f" * 32)
    assert (hidden.status, hidden.body) == (missing.status, missing.body)
    # attachment-098 and 099: odd ranges do bounded work.
    past = house.got("ivy", file, Range=ROWS["attachment-098"].facts["range"])
    assert (past.status, past.code) == (416, "range.outside")
    many = written_out(ROWS["attachment-099"].facts["range"])
    assert house.got("ivy", file, Range=many).body == PDF
    # attachment-097: an address serves nobody who lost access, from that moment on.
    assert house.got("nia", file).status == 200
    house.running.stage.projects.withdraw("p1", "north")
    assert house.got("nia", file).body == missing.body


def test_a_part_is_read_from_either_store(house: House) -> None:
    ask = f"/attachments?channel={quote(NORTH, safe='')}&name=a.pdf"
    body = PDF + bytes(range(256)) * 1024
    file = house.running.ask("nat", "POST", ask, body.ljust(300_000, b"x")).json["id"]
    got = house.got("nat", file, Range="bytes=70000-200000")
    assert (got.status, got.body) == (206, body.ljust(300_000, b"x")[70_000:200_001])
    head = house.running.ask("nat", "HEAD", f"/attachments/{file}")
    assert (head.status, head.headers["content-length"]) == (200, "300000")
