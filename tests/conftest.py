"""What every test runs under: cooperative sockets, and how hard Hypothesis tries.

Whatever talks over a broker needs the standard library patched before anything else is
imported, so it happens here. The rules need nothing of it: with ``CLP_PLAIN_TESTS`` set
(as `make test-core` does) they are tested in a plain interpreter.
"""

import importlib.util
import os

if not os.environ.get("CLP_PLAIN_TESTS") and importlib.util.find_spec("clp_chassis"):
    importlib.import_module("clp_chassis.concurrency.monkey_patch")
    # A fixture is what a conftest file knows by name.
    postgres = importlib.import_module("tests.private_servers").postgres

from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,  # a busy machine is no counterexample
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
# The same examples on every run, so that a red build is about the change it builds.
settings.register_profile("ci", derandomize=True, database=None, **COMMON)
# New examples on every run; what fails is remembered and tried first.
settings.register_profile("dev", max_examples=100, **COMMON)
settings.register_profile("night", max_examples=5000, **COMMON)

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE")
    or ("ci" if os.environ.get("CI") == "true" else "dev")
)
