"""Problems: RFC 9457, one status for each code, hidden and missing in the same bytes."""

import pytest

from clp_contracts.errors import Refused
from clp_portal.problems import (
    SENTENCES,
    STATUSES,
    known_codes,
    problem_of,
    public_code,
    status_of,
)
from clp_portal.translation import Locale

ENGLISH = Locale()
MISSING = (
    "project.missing",
    "channel.missing",
    "message.missing",
    "attachment.missing",
    "person.missing",
    "path.missing",
)


def test_hidden_and_missing_are_the_same_bytes() -> None:
    bodies = {str(problem_of(Refused(code), ENGLISH).body()) for code in MISSING}
    assert len(bodies) == 1
    assert status_of("project.missing") == 404


def test_a_problem_has_the_members_of_the_standard() -> None:
    refused = Refused.because("request.malformed", fields={"text": ["no text"]})
    assert problem_of(refused, ENGLISH).body() == {
        "type": "/-/problems/request.malformed",
        "title": "The request is malformed. Go back and try again.",
        "status": 400,
        "code": "request.malformed",
        "detail": "The request is malformed. Go back and try again.",
        "fields": {"text": ["no text"]},
    }


def test_only_a_fault_of_ours_names_an_incident() -> None:
    fault = Refused.because("service.failed", incident="abc")
    assert problem_of(fault, ENGLISH).body()["instance"] == "urn:clp:incident:abc"
    refused = Refused.because("text.empty", incident="abc")
    assert "instance" not in problem_of(refused, ENGLISH).body()


def test_a_problem_speaks_the_language_of_the_reader() -> None:
    problem = problem_of(Refused("text.empty"), Locale(tag="fr"))
    assert problem.title == "Écrivez un texte ou joignez un fichier."


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("text.empty", 422),
        ("idempotency_key.reused", 422),
        ("broadcast.internal_only", 403),
        ("message.not_yours", 403),
        ("passport.missing", 401),
        ("attachment.too_large", 413),
        ("service.unavailable", 503),
    ],
)
def test_statuses(code: str, status: int) -> None:
    assert status_of(code) == status


def test_no_known_code_gives_a_hidden_thing_away() -> None:
    away = {"project.missing", "channel.missing", "message.missing", "person.missing"}
    assert not away & set(known_codes())


def test_every_status_and_sentence_is_of_a_code_that_can_be_shown() -> None:
    for code in (*STATUSES, *SENTENCES):
        assert public_code(code) == code
