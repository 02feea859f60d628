"""Every shell block of the runbook runs as printed."""

import json
import re
import threading
from collections import Counter, defaultdict
from pathlib import Path

import psycopg
import pytest

from clp_contracts.errors import Refused
from tests.deploy.blocks import RUNBOOK, blocks, run_block
from tests.deploy.running import UpSystem, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

WRITTEN_TO = "p1/direct/north"
LOAD_WORD = re.compile(r"loadword\d{4}")
RUN = re.compile(r'run_block\(\s*"(\w+)"')


def test_every_block_is_run_by_a_test() -> None:
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert set(RUN.findall(here)) == set(blocks())
    assert RUNBOOK.read_text().count("```sh") == len(blocks())


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


@pytest.mark.slow
def test_the_commands_of_dead_letters_run_when_there_are_none(up: UpSystem) -> None:
    assert run_block("redrive", up).splitlines() == [
        *["No notification is dead."] * 2,
        "There are no dead letters.",
        "0 changes applied, 0 failed again.",
        "The dead-letter queues are empty.",
        "0 events were returned to their handlers.",
    ]


def test_dead_incoming_mails_are_handled_once_more(up: UpSystem) -> None:
    """One that cannot be read is a dead letter again, with its reason."""
    incoming = up.data / "incoming"
    (incoming / "new").mkdir(parents=True, exist_ok=True)
    (incoming / "new" / "broken").write_bytes(b"X-A: " + b"a" * 400_000)
    reason = incoming / "dead" / "broken.reason"
    until(reason.exists)
    until((incoming / "dead" / "broken").exists)
    said = reason.read_text().strip()[:20]
    output = run_block("incoming", up)
    assert said in output
    assert "1 incoming mails are handled once more." in output
    until(lambda: not list((incoming / "new").iterdir()) and reason.exists())


def test_an_index_is_rebuilt(up: UpSystem) -> None:
    ivy = up.person("ivy")
    ivy.messages.post(channel="p1/broadcast", text="evergreen", key="rb-3")
    run_block("rebuild", up)
    until(lambda: ivy.search.find(query="evergreen", project="p1").hits)


def mailed(up: UpSystem) -> dict[str, Counter[str]]:
    """Each word of the load with the Message-IDs of its mails."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for raw in up.mails():
        (identity,) = re.findall(rb"^Message-ID: *(\S+)", raw, re.MULTILINE)
        for word in set(LOAD_WORD.findall(raw.decode("utf-8", "replace"))):
            found[word][identity.decode()] += 1
    return found


def _end_leases(up: UpSystem) -> None:
    """Expire the leases of the backup, so that its claimed mails are due at once."""
    url = up.address("CLP_NOTIFICATIONS_DATABASE_URL").replace("+psycopg", "")
    with psycopg.connect(url) as database:
        database.execute(
            "update mails set lease_until = now() - interval '1 second'"
            " where lease_until is not null and lease_until > now()"
        )


def judge_restored(up: UpSystem, before: list[str], posted: list[str]) -> None:
    """Check I1 to I3; a mail that was due in the backup may be sent twice."""
    ivy = up.person("ivy")
    shown = ivy.messages.page(channel=WRITTEN_TO, limit=100).messages
    words = [word for one in shown for word in LOAD_WORD.findall(one.text)]
    assert words == posted[: len(words)], "once each, in order, without gaps"
    assert set(before) <= set(words), "acknowledged before the backup, and lost"
    _end_leases(up)
    operations = up.service("operations")
    until(lambda: operations.notifications.progress().due == 0)
    for word in words:
        identities = mailed(up)[word]
        assert identities.total() <= 2, "a mail is sent twice at most"
        if word in before:
            assert len(identities) == 1, "with the same Message-ID"


def test_a_passport_key_is_rotated_without_a_restart(up: UpSystem) -> None:
    trusted = up.data / "keys" / "messages" / "trusted.json"
    before = set(json.loads(trusted.read_text()))
    ivy, pids = up.person("ivy"), up.pids
    run_block("exchange", up)
    ivy.messages.post(channel="p1/broadcast", text="between keys", key="rb-4")
    run_block("forget", up)
    (old,) = before - set(json.loads(trusted.read_text()))
    assert old.startswith("messages-")
    # `messages` calls `projects` with a passport of its new key.
    ivy.messages.post(channel="p1/direct/north", text="new key @Nia Roux", key="rb-5")
    until(lambda: any(b"new key" in mail for mail in up.mails()))
    assert up.pids == pids, "no process restarted"


class Writer(threading.Thread):
    """Post numbered words until stopped."""

    def __init__(self, up: UpSystem) -> None:
        super().__init__()
        self._post = up.person("nat").messages.post
        self.stop_requested = threading.Event()
        self.words: list[str] = []

    def run(self) -> None:
        while not self.stop_requested.is_set():
            word = f"loadword{len(self.words):04d}"
            self._post(channel=WRITTEN_TO, text=f"@Ian Moss {word}", key=word)
            self.words.append(word)


@pytest.mark.slow
def test_a_backup_is_restored(up: UpSystem) -> None:
    """F14: a backup taken under load holds every message acknowledged before it."""
    ivy = up.person("ivy")
    saved = ivy.messages.post(channel="p1/broadcast", text="keptword", key="rb-6")
    writer = Writer(up)
    writer.start()
    until(lambda: len(writer.words) >= 5)
    before = list(writer.words)
    until(lambda: set(before) <= set(mailed(up)))
    run_block("backup", up)
    writer.stop_requested.set()
    writer.join()
    lost = ivy.messages.post(channel="p1/broadcast", text="lostword", key="rb-7")
    until(lambda: set(writer.words) <= set(mailed(up)))
    run_block("restore", up)
    until(up.responds)
    page = ivy.messages.page(channel="p1/broadcast")
    assert page.messages[-1].id == saved.id

    judge_restored(up, before, writer.words)
    again = ivy.messages.post(channel="p1/broadcast", text="nextword", key="rb-8")
    assert again.number == lost.number
    until(lambda: ivy.search.find(query="nextword", project="p1").hits)
    assert ivy.search.find(query="keptword", project="p1").hits
    assert not ivy.search.find(query="lostword", project="p1").hits
    with pytest.raises(Refused, match=r"message\."):
        ivy.messages.edit(message=lost.id, text="gone")
