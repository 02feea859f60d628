"""Gauges of `portal` for operators."""

from clp_chassis.observability import GaugeSample, Probes
from clp_portal.dependencies import Dependencies


def probes(deps: Dependencies) -> Probes:
    """Its database must answer; count the sessions."""
    return Probes(
        gauges=(lambda: _sessions(deps), lambda: _streams(deps)),
        checks={"database": deps.database.ping},
    )


def _sessions(deps: Dependencies) -> tuple[GaugeSample, ...]:
    return (
        GaugeSample(
            name="clp_portal_sessions",
            help="Stored sessions, those that are over and not swept included.",
            value=deps.sessions.count(),
        ),
    )


def _streams(deps: Dependencies) -> tuple[GaugeSample, ...]:
    return (
        GaugeSample(
            name="clp_portal_streams",
            help="Open event streams of this process.",
            value=len(deps.live.subscribers),
        ),
    )
