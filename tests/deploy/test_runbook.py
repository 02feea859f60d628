"""What the runbook says, done: every block is run as it stands there."""

import json
import re
import threading
from collections import Counter, defaultdict
from pathlib import Path

import psycopg
import pytest

from clp_contracts.errors import Refused
from tests.deploy.blocks import README, blocks, run_block
from tests.deploy.running import UpSystem, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

WRITTEN_TO = "p1/direct/north"
LOAD_WORD = re.compile(r"loadword\d{4}")
RUN = re.compile(r'run_block\(\s*"(\w+)"')


def test_every_block_is_run_by_a_test() -> None:
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert set(RUN.findall(here)) == set(blocks())
    assert README.read_text().count("```sh") == len(blocks())


def test_delivery_is_scaled_and_drained(up: UpSystem) -> None:
    run_block("scale", up)
    assert {"delivery.0", "delivery.1", "delivery.2"} <= set(up.pids)
    assert re.search(
        r"^delivery.2 +pid \d+ .* ready$", run_block("look", up), re.MULTILINE
    )
    ivy = up.person("ivy")
    ivy.messages.post(channel="p1/direct/north", text="many @Nia Roux", key="rb-1")
    until(lambda: any(b"many" in mail for mail in up.mails()))
    run_block("drain", up)
    assert {name for name in up.pids if name.startswith(("delivery", "search"))} == {
        "delivery.0",
        "search.0",
    }
    ivy.messages.post(channel="p1/direct/north", text="few @Nia Roux", key="rb-2")
    until(lambda: any(b"few" in mail for mail in up.mails()))
    assert sum(b"many" in mail for mail in up.mails()) == 1


def test_what_was_given_up_is_asked_for_again(up: UpSystem) -> None:
    """Sending it again is tested with `clp-ops`; here nothing was."""
    assert run_block("redrive", up).splitlines() == [
        *["Nothing was given up."] * 2,
        "Nothing was set aside.",
        "0 changes were applied, 0 stay aside; 0 events went back to their handlers.",
    ]


def test_an_index_is_built_anew(up: UpSystem) -> None:
    ivy = up.person("ivy")
    ivy.messages.post(channel="p1/broadcast", text="evergreen", key="rb-3")
    run_block("rebuild", up)
    until(lambda: ivy.search.find(query="evergreen", project="p1").hits)


def mailed(up: UpSystem) -> dict[str, Counter[str]]:
    """Each word of the load with the Message-IDs of the mails that told of it."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for raw in up.mails():
        (identity,) = re.findall(rb"^Message-ID: *(\S+)", raw, re.MULTILINE)
        for word in set(LOAD_WORD.findall(raw.decode("utf-8", "replace"))):
            found[word][identity.decode()] += 1
    return found


def _end_leases(up: UpSystem) -> None:
    """What a worker had in hand in the backup is due a minute later; or now."""
    url = up.address("CLP_NOTIFICATIONS_DATABASE_URL").replace("+psycopg", "")
    with psycopg.connect(url) as database:
        database.execute(
            "update mails set lease_until = now() - interval '1 second'"
            " where lease_until is not null and lease_until > now()"
        )


def judge_restored(up: UpSystem, before: list[str], posted: list[str]) -> None:
    """I1 to I3, and what may come twice: mails that were due in the backup."""
    ivy = up.person("ivy")
    shown = ivy.messages.page(channel=WRITTEN_TO, limit=100).messages
    words = [word for one in shown for word in LOAD_WORD.findall(one.text)]
    assert words == posted[: len(words)], "once each, in order, none from the middle"
    assert set(before) <= set(words), "answered before the backup, and lost"
    _end_leases(up)
    operations = up.service("operations")
    until(lambda: operations.notifications.progress().due == 0)
    for word in words:
        identities = mailed(up)[word]
        assert identities.total() <= 2, "a mail comes twice at most"
        if word in before:
            assert len(identities) == 1, "and is recognised"


def test_a_passport_key_is_exchanged_while_everybody_works(up: UpSystem) -> None:
    trusted = up.data / "keys" / "trusted.json"
    before = set(json.loads(trusted.read_text()))
    ivy, pids = up.person("ivy"), up.pids
    run_block("exchange", up)
    ivy.messages.post(channel="p1/broadcast", text="between keys", key="rb-4")
    run_block("forget", up)
    (old,) = before - set(json.loads(trusted.read_text()))
    assert old.startswith("messages-")
    # It asks `projects`, with a passport that it made itself.
    ivy.messages.post(channel="p1/direct/north", text="new key @Nia Roux", key="rb-5")
    until(lambda: any(b"new key" in mail for mail in up.mails()))
    assert up.pids == pids, "nobody was restarted"


class Writer(threading.Thread):
    """Posts to somebody, word after word, until it is told to stop."""

    def __init__(self, up: UpSystem) -> None:
        super().__init__()
        self._post = up.person("nat").messages.post
        self.enough = threading.Event()
        self.words: list[str] = []

    def run(self) -> None:
        while not self.enough.is_set():
            word = f"loadword{len(self.words):04d}"
            self._post(channel=WRITTEN_TO, text=f"@Ian Moss {word}", key=word)
            self.words.append(word)


def test_a_backup_is_restored(up: UpSystem) -> None:
    """R14: taken while messages arrive; what was answered before it is there after it."""
    ivy = up.person("ivy")
    kept = ivy.messages.post(channel="p1/broadcast", text="keptword", key="rb-6")
    writer = Writer(up)
    writer.start()
    until(lambda: len(writer.words) >= 5)
    before = list(writer.words)
    until(lambda: set(before) <= set(mailed(up)))
    run_block("backup", up)
    writer.enough.set()
    writer.join()
    lost = ivy.messages.post(channel="p1/broadcast", text="lostword", key="rb-7")
    until(lambda: set(writer.words) <= set(mailed(up)))
    run_block("restore", up)
    until(up.answers)
    page = ivy.messages.page(channel="p1/broadcast")
    assert page.messages[-1].id == kept.id
    judge_restored(up, before, writer.words)
    again = ivy.messages.post(channel="p1/broadcast", text="nextword", key="rb-8")
    assert again.number == lost.number
    until(lambda: ivy.search.find(query="nextword", project="p1").hits)
    assert ivy.search.find(query="keptword", project="p1").hits
    assert not ivy.search.find(query="lostword", project="p1").hits
    with pytest.raises(Refused, match=r"message\."):
        ivy.messages.edit(message=lost.id, text="gone")
