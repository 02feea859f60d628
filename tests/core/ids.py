"""A pytest plugin: tests named after strange texts get names that tools can repeat."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """ASCII without backslashes, which mutmut does not hand back to pytest unharmed."""
    return ascii(val).replace("\\", "%") if isinstance(val, str) else None
