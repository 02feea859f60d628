"""The reference equals the code, and real requests and responses keep its schemas."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from clp_contracts.error_codes import CODES
from clp_contracts.error_remedies import REMEDIES
from clp_contracts.errors import Refused
from clp_contracts.events import EVENT_TYPES
from clp_deploy.reference.__main__ import FOLDER, PAGES
from clp_deploy.reference.events import MEANINGS
from clp_deploy.reference.metrics import metrics
from clp_deploy.reference.refusals import OF_EVERY_METHOD, refusals_of
from clp_deploy.service_inventory import methods, service_inventories
from clp_ops.arguments import parser
from clp_suite import EmbeddedSuite
from clp_suite.demo.tables import RULES
from tests.architecture.metrics import declared_metrics, queried_metrics
from tests.architecture.tree import ROOT
from tests.contracts.vectors import VECTORS, agrees, disagreements, passport_of

SCHEMAS: dict[str, Any] = json.loads((FOLDER / "schemas.json").read_text())


@cache
def text_of(name: str) -> str:
    return PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_equals_the_code(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(name), (
        "make reference"
    )


def test_no_two_calls_of_a_service_are_described_alike() -> None:
    """Requests of an id alone share a shape; what their calls do differs."""
    page = (FOLDER / "calls.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\w+)\.\w+\n\n(.+)$", page, re.MULTILINE)
    assert len(found) == len(set(found)) == len(methods())


def test_every_code_has_a_remedy() -> None:
    assert list(REMEDIES) == list(CODES)


def test_every_event_has_a_meaning() -> None:
    assert set(MEANINGS) == set(EVENT_TYPES)


def test_every_metric_is_listed() -> None:
    page = (FOLDER / "metrics.md").read_text(encoding="utf-8")
    assert queried_metrics(page) == declared_metrics(ROOT)


def test_metrics_are_listed_as_they_are_served() -> None:
    """Those that live in a registry tell their own names and labels."""
    for inventory in service_inventories():
        import_module(f"clp_{inventory.service}.service")
    listed = {(name, labels) for name, _, labels, _ in metrics()}
    served = {
        (name, collector._labelnames)
        for collector, names in REGISTRY._collector_to_names.items()
        for name in names
        if isinstance(collector, MetricWrapperBase) and name.startswith("clp_")
        if not name.endswith(("_created", "_bucket", "_sum", "_count"))
        if collector._type != "counter" or name.endswith("_total")
    }
    assert len(served) > 10
    assert served <= listed


# A rule by its number, a row of the routing table, or a number of the test plan.
NUMBERED = re.compile(r"\brules? [0-9]|\b[RHTF][0-9]{1,2}\b")


@pytest.mark.parametrize("name", PAGES)
def test_readers_are_told_rules_in_words(name: str) -> None:
    assert not NUMBERED.findall(text_of(name))


def test_refusals_and_commands_name_rules_in_words() -> None:
    sentences = [*CODES.values(), *REMEDIES.values(), *RULES, parser().format_help()]
    (commands,) = parser()._subparsers._group_actions
    sentences += [one.format_help() for one in commands.choices.values()]
    assert [one for one in sentences if NUMBERED.search(one)] == []


def test_the_schemas_name_every_method() -> None:
    assert set(SCHEMAS["methods"]) == set(methods())
    Draft202012Validator.check_schema(SCHEMAS)


def validator(method: str, what: str) -> Draft202012Validator:
    shape = SCHEMAS["methods"][method][what]
    return Draft202012Validator({**shape, "$defs": SCHEMAS["$defs"]})


@pytest.fixture(scope="module")
def replies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """What each vector gets from running services, in order."""
    found: list[dict[str, Any]] = []
    with EmbeddedSuite(tmp_path_factory.mktemp("vectors")) as suite:
        for one in VECTORS:
            context = {"auth_token": passport_of(suite, one)}
            try:
                found.append(
                    {"result": suite.call(one["method"], one["request"], context)}
                )
            except Refused as refused:
                found.append({"error": {"exc_args": [refused.code]}})
        yield found


def test_the_vectors_hold(replies: list[dict[str, Any]]) -> None:
    assert disagreements(replies) == []


def test_a_vector_that_does_not_hold_is_noticed() -> None:
    assert agrees({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}], "d": 3})
    assert not agrees({"a": [{"b": 1}]}, {"a": [{"b": 2}]})
    assert not agrees({"a": [1]}, {"a": [1, 2]})
    assert not agrees({"a": 1}, {})
    wrong = [{"error": {"exc_args": ["tea.cold"]}} for _ in VECTORS]
    assert len(disagreements(wrong)) == len(VECTORS)


def test_requests_and_responses_keep_their_schemas(
    replies: list[dict[str, Any]],
) -> None:
    for vector, reply in zip(VECTORS, replies, strict=True):
        request = validator(vector["method"], "request")
        malformed = vector.get("refusal") == "request.malformed"
        assert request.is_valid(vector["request"]) != malformed, vector
        if "result" in reply:
            validator(vector["method"], "response").validate(reply["result"])


def test_refusals_of_vectors_are_listed_with_their_call() -> None:
    for vector in VECTORS:
        if code := vector.get("refusal"):
            listed = refusals_of(*vector["method"].split("."))
            assert code in (*listed, *OF_EVERY_METHOD), vector
