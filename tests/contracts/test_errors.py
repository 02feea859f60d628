"""A refusal keeps its code, detail and sentence across RPC."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nameko.exceptions import serialize

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.rpc_connection import result_of

ROOT = Path(__file__).parents[2]


def test_a_refusal_survives_nameko() -> None:
    refused = Refused.because("attachment.too_large", max_bytes=10_485_760)
    wire = json.loads(json.dumps({"result": None, "error": serialize(refused)}))
    with pytest.raises(Refused) as caught:
        result_of(wire, "messages.post")
    received = caught.value
    assert (received.code, received.detail) == (refused.code, {"max_bytes": 10_485_760})
    assert received.sentence == "The file is larger than an attachment may be."


def test_an_unknown_code_is_its_own_sentence() -> None:
    assert Refused("tea.cold").sentence == "tea.cold"


@pytest.mark.parametrize(
    "error",
    [
        {"exc_path": "builtins.ValueError", "exc_type": "ValueError"},
        {"exc_path": "nameko.exceptions.MalformedRequest", "exc_args": ["x"]},
        {"exc_path": "clp_contracts.errors.Refused"},
        {"exc_path": "clp_contracts.errors.Refused", "exc_args": []},
        {},
        "text",
    ],
)
def test_an_error_that_is_no_refusal_is_a_failed_call(error: object) -> None:
    with pytest.raises(CallFailed, match=r"^messages\.post: "):
        result_of({"result": None, "error": error}, "messages.post")


@pytest.mark.parametrize("reply", [None, [], 7, "text"])
def test_a_reply_that_is_no_object_is_a_failed_call(reply: object) -> None:
    with pytest.raises(CallFailed, match="no object"):
        result_of(reply, "messages.post")


def test_a_missing_method_is_a_refusal() -> None:
    error = {"exc_path": "nameko.exceptions.MethodNotFound", "exc_args": ["none"]}
    with pytest.raises(Refused) as caught:
        result_of({"result": None, "error": error}, "messages.none")
    assert caught.value.code == "method.missing"
    assert caught.value.detail == {"method": "messages.none"}


def test_the_client_imports_no_other_package_of_the_project() -> None:
    program = (
        "import sys, clp_contracts.client;"
        "print([m for m in sys.modules"
        " if m.startswith('clp_') and not m.startswith('clp_contracts')]"
        " + [m for m in ('sqlalchemy', 'whoosh', 'jinja2', 'nameko', 'eventlet')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
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
