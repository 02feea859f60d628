"""Metrics of every process; dashboards and alerts rely on their names.

Labels are services, methods, readers and codes: never a person, a project or a channel,
so that a dashboard shows nothing that its viewer may not read.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from clp_contracts import health

FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

CALL_SECONDS: Final = Histogram(
    "clp_call_seconds",
    "Duration of a call.",
    ["service", "method", "outcome"],
    buckets=FAST,
)
CALLS_IN_FLIGHT: Final = Gauge(
    "clp_calls_in_flight", "Calls that are running.", ["service"]
)
REFUSALS: Final = Counter(
    "clp_refusals", "Calls and requests refused, by code.", ["service", "code"]
)
REQUEST_SECONDS: Final = Histogram(
    "clp_request_seconds",
    "Duration of an HTTP request.",
    ["verb", "path", "status"],
    buckets=FAST,
)
EVENTS_CONSUMED: Final = Counter(
    "clp_events_consumed", "Events consumed.", ["service", "source"]
)
OUTBOX_PUBLISHED: Final = Counter(
    "clp_outbox_published", "Committed changes published.", ["service"]
)
FEED_LAG: Final = Gauge(
    "clp_feed_lag_changes", "Changes of a feed not applied yet.", ["reader"]
)
FEED_AGE: Final = Histogram(
    "clp_feed_age_seconds",
    "Age of changes when a reader had applied them.",
    ["reader"],
    buckets=SLOW,
)
FEED_OLDEST: Final = Gauge(
    health.FEED_WAITS.metric, health.FEED_WAITS.meaning, ["reader"]
)
FEED_AHEAD: Final = Gauge(
    health.FEED_AHEAD.metric, health.FEED_AHEAD.meaning, ["reader"]
)
DEAD_LETTERS_KEPT: Final = Gauge(
    health.DEAD_LETTERS.metric, health.DEAD_LETTERS.meaning, ["reader"]
)
DEAD_EVENTS: Final = Gauge(
    health.DEAD_EVENTS.metric, health.DEAD_EVENTS.meaning, ["queue"]
)
DEAD_LETTERS: Final = Counter(
    "clp_dead_letters", "Changes that could not be applied.", ["reader"]
)
