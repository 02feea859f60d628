"""What the runbook says, done: every block is run as it stands there."""

import json
import re
from pathlib import Path

import pytest

from clp_contracts.refusal import Refused
from tests.deploy.blocks import README, blocks, run_block
from tests.deploy.running import UpSystem, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

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


def test_a_backup_is_restored(up: UpSystem) -> None:
    ivy = up.person("ivy")
    kept = ivy.messages.post(channel="p1/broadcast", text="keptword", key="rb-6")
    run_block("backup", up)
    lost = ivy.messages.post(channel="p1/broadcast", text="lostword", key="rb-7")
    run_block("restore", up)
    until(up.answers)
    page = ivy.messages.page(channel="p1/broadcast")
    assert page.messages[-1].id == kept.id
    again = ivy.messages.post(channel="p1/broadcast", text="nextword", key="rb-8")
    assert again.number == lost.number
    until(lambda: ivy.search.find(query="nextword", project="p1").hits)
    assert ivy.search.find(query="keptword", project="p1").hits
    assert not ivy.search.find(query="lostword", project="p1").hits
    with pytest.raises(Refused, match=r"message\."):
        ivy.messages.edit(message=lost.id, text="gone")
