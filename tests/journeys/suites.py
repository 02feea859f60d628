"""Suites of the journeys: embedded, or as processes on RabbitMQ and PostgreSQL."""

from pathlib import Path

import pytest

from clp_suite import EmbeddedSuite
from clp_suite.process_suite import ProcessSuite
from clp_suite.suite import Suite


def suite_of(
    kind: str,
    request: pytest.FixtureRequest,
    folder: Path,
    *,
    mail_window_s: float = 0.0,
) -> Suite:
    """Make a suite, not started yet; ``kind`` is ``embedded`` or ``processes``."""
    if kind == "embedded":
        return EmbeddedSuite(folder, mail_window_s=mail_window_s)
    return process_suite(request, folder, mail_window_s=mail_window_s)


def deployed_suite(request: pytest.FixtureRequest, folder: Path) -> ProcessSuite:
    """Make a suite of processes whose people sign in at the provider of the tests."""
    suite = process_suite(request, folder, portals=2)
    suite.use_provider(request.getfixturevalue("provider").issuer)
    return suite


def process_suite(
    request: pytest.FixtureRequest,
    folder: Path,
    *,
    mail_window_s: float = 0.0,
    portals: int = 0,
) -> ProcessSuite:
    """Make a suite of processes with a broker and databases of its own."""
    return ProcessSuite(
        folder / "suite",
        rabbit=request.getfixturevalue("new_broker")(),
        postgres=request.getfixturevalue("postgres"),
        mail_window_s=mail_window_s,
        copies={"portal": portals},
    )
