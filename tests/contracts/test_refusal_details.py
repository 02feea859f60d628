"""Every refusal that has a limit or a list names it in its detail, over RPC and HTTP."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_chassis.http import error_response
from clp_contracts.error_codes import CODES, DETAILS
from clp_contracts.errors import Refused
from clp_core.decisions import Reason
from clp_portal.problems import problem_of, public_code
from clp_portal.translation import Locale

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for part in ("libs", "services") for path in (ROOT / part).rglob("src/**/*.py")
)
# What a code that speaks of a limit or a list ends in.
LIMITED = {
    "too_long", "too_many", "too_large", "too_expensive", "type_refused", "quota_spent",
    "wrong_kind",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_that_speaks_of_a_limit_names_it(code: str) -> None:
    if code.endswith(tuple(LIMITED)):
        assert any(
            name.startswith("max_") or name in {"extensions", "kinds"}
            for name in DETAILS[code]
        )


def test_every_detail_is_of_a_released_code() -> None:
    assert set(DETAILS) <= set(CODES)


def test_no_refusal_is_raised_without_its_detail() -> None:
    lacking = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {code}"
        for path in SOURCES
        for call, code, names in _refusals(path)
        if names is not None and not set(DETAILS.get(code, ())) <= names
    ]
    assert lacking == []


def test_the_refusals_of_the_code_are_found() -> None:
    found = {code for path in SOURCES for _, code, _ in _refusals(path)}
    assert {"project.missing", "ticket.too_many", "attachment.empty"} <= found
    assert len(found & set(DETAILS)) > 15


def _refusals(path: Path) -> Iterator[tuple[ast.Call, str, set[str] | None]]:
    """Calls that refuse with a code: the names of the detail, None if not written."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        made, first = ast.unparse(call.func), call.args[0]
        if made == "Decision" and isinstance(first, ast.Attribute):
            yield call, str(getattr(Reason, first.attr)), _of_decision(call)
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            if made == "Refused":
                yield call, first.value, None if len(call.args) > 1 else set()
            if made == "Refused.because":
                names = {keyword.arg for keyword in call.keywords}
                known = None if None in names else {name for name in names if name}
                yield call, first.value, known


def _of_decision(call: ast.Call) -> set[str] | None:
    """A detail that is written out, or none at all; a variable is not followed."""
    details = [keyword.value for keyword in call.keywords if keyword.arg == "detail"]
    if not details:
        return set()
    if isinstance(details[0], ast.Dict):
        return {ast.literal_eval(key) for key in details[0].keys if key is not None}
    return None


json_values = st.recursive(
    st.integers() | st.text() | st.booleans(), lambda inner: st.lists(inner, max_size=3)
)
names = {name for named in DETAILS.values() for name in named}
details = st.dictionaries(st.sampled_from(sorted(names - {"verbs"})), json_values)


@pytest.mark.property
@given(st.sampled_from(sorted(CODES)), details)
def test_http_carries_the_detail_of_rpc(code: str, detail: dict[str, object]) -> None:
    if code == "verb.refused":
        detail["verbs"] = ["GET", "HEAD"]
    refused = Refused.because(code, **detail)

    body = json.loads(error_response(refused).get_data())

    assert body["code"] == refused.code
    assert body.get("detail", {}) == refused.detail


@pytest.mark.property
@given(st.sampled_from(sorted(CODES)), details)
def test_a_problem_of_the_portal_carries_it_too(
    code: str, detail: dict[str, object]
) -> None:
    refused = Refused.because(code, **detail)

    problem = problem_of(refused, Locale())

    shown = {**problem.facts, **({"fields": problem.fields} if problem.fields else {})}
    hidden = public_code(code) != code or problem.status >= 500
    assert hidden or shown.keys() | {"fields"} >= detail.keys()
    assert not hidden or not problem.facts


def test_a_problem_never_tells_of_what_is_hidden() -> None:
    refused = Refused.because("channel.missing", max_bytes=1)

    assert "facts" not in problem_of(refused, Locale()).body()
