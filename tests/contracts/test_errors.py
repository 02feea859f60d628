"""A refusal keeps its code, detail and sentence across RPC."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nameko.exceptions import deserialize, serialize

from clp_contracts import connection_pool
from clp_contracts.errors import Refused

ROOT = Path(__file__).parents[2]


def test_a_refusal_survives_nameko() -> None:
    assert connection_pool.RpcConnectionPool
    refused = Refused.because("attachment.too_large", max_bytes=10_485_760)
    wire = json.loads(json.dumps(serialize(refused)))
    received = deserialize(wire)
    assert isinstance(received, Refused)
    assert (received.code, received.detail) == (refused.code, {"max_bytes": 10_485_760})
    assert received.sentence == "The file is larger than an attachment may be."


def test_an_unknown_code_is_its_own_sentence() -> None:
    assert Refused("tea.cold").sentence == "tea.cold"


def test_the_client_imports_no_other_package_of_the_project() -> None:
    program = (
        "import sys, clp_contracts.client;"
        "print([m for m in sys.modules"
        " if m.startswith('clp_') and not m.startswith('clp_contracts')]"
        " + [m for m in ('sqlalchemy', 'whoosh', 'jinja2') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("sent", ["", "no json", "[]", "null"])
def test_a_refusal_whose_detail_is_no_object_has_none(sent: str) -> None:
    refused = Refused("channel.missing", sent)

    assert refused.detail == {}
    assert str(refused).startswith("channel.missing: ")
