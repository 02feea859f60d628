"""Settings of every test: Eventlet's monkey patch and the profiles of Hypothesis.

Code that uses the broker needs the patch before any other import. The core needs none:
with ``TESTS_UNPATCHED`` set (as `make test-core` does) it is tested unpatched.
"""

import importlib.util
import os

if not os.environ.get("TESTS_UNPATCHED") and importlib.util.find_spec("clp_chassis"):
    importlib.import_module("clp_chassis.concurrency.monkey_patch")
    # Fixtures are found by their name in a conftest module.
    _servers = importlib.import_module("tests.support.servers")
    servers, postgres = _servers.servers, _servers.postgres
    rabbit, new_broker = _servers.rabbit, _servers.new_broker
    _databases = importlib.import_module("tests.support.databases")
    migrated_file, migrated_url = _databases.migrated_file, _databases.migrated_url
    pytest_collection_modifyitems = _databases.pytest_collection_modifyitems

from hypothesis import HealthCheck, settings

from tests.support import work_queue

pytest_runtestloop = work_queue.pytest_runtestloop

COMMON = {
    "deadline": None,  # a busy machine is no counterexample
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
# The same examples in every run: a failing build is caused by its change.
settings.register_profile("ci", derandomize=True, database=None, **COMMON)
# New examples in every run; failing ones are stored and tried first.
settings.register_profile("dev", max_examples=100, **COMMON)
# Tests run once for each mutant: what few examples kill, many kill as well.
settings.register_profile(
    "mutation", max_examples=25, derandomize=True, database=None, **COMMON
)
settings.register_profile("night", max_examples=5000, **COMMON)

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE")
    or ("ci" if os.environ.get("CI") == "true" else "dev")
)
