"""A refusal crosses the wire whole: code, detail and sentence."""

import json
import subprocess
import sys
from pathlib import Path

from nameko.exceptions import deserialize, serialize

from clp_contracts import connection_pool
from clp_contracts.errors import Refused

ROOT = Path(__file__).parents[2]


def test_a_refusal_survives_the_framework() -> None:
    assert connection_pool.Lines
    said = Refused.because("attachment.too_large", max_bytes=10_485_760)
    wire = json.loads(json.dumps(serialize(said)))
    heard = deserialize(wire)
    assert isinstance(heard, Refused)
    assert (heard.code, heard.detail) == (said.code, {"max_bytes": 10_485_760})
    assert heard.sentence == "The file is larger than an attachment may be."


def test_a_code_of_a_newer_service_is_its_own_sentence() -> None:
    assert Refused("tea.cold").sentence == "tea.cold"


def test_a_caller_needs_no_other_package_of_ours() -> None:
    program = (
        "import sys, clp_contracts.client;"
        "print([m for m in sys.modules"
        " if m.startswith('clp_') and not m.startswith('clp_contracts')]"
        " + [m for m in ('sqlalchemy', 'whoosh', 'jinja2') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert told.stdout.strip() == "[]"
