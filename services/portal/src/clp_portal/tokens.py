"""Keys that make a repeated form harmless."""

from clp_chassis.clock import new_id


def new_key() -> str:
    """Return a fresh idempotency key (rule 10)."""
    return new_id()
