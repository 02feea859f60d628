"""Only the clock module reads the clock."""

from pathlib import Path

import pytest

from tests.architecture.clocks import clock_readers
from tests.architecture.fixtures import make_tree
from tests.architecture.tree import ROOT, report


def test_only_the_clock_of_the_chassis_reads_the_clock() -> None:
    found = clock_readers(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    ("code", "reading"),
    [
        ("import datetime\nx = datetime.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\nx = datetime.now", "datetime.datetime.now"),
        (
            "from datetime import datetime as d\nx = d.utcnow()",
            "datetime.datetime.utcnow",
        ),
        ("from datetime import date\nx = date.today()", "datetime.date.today"),
        ("import time\nx = time.time()", "time.time"),
        ("from time import time_ns\nx = time_ns()", "time.time_ns"),
        ("import uuid\nx = uuid.uuid4()", "uuid.uuid4"),
        ("from uuid import uuid4 as mint\nx = mint()", "uuid.uuid4"),
    ],
)
def test_a_reading_elsewhere_is_refused(
    code: str, reading: str, tmp_path: Path
) -> None:
    found = clock_readers(make_tree(tmp_path, {"services/a/x.py": code}))

    assert report(found) == f"services/a/x.py:2: reads {reading}"


@pytest.mark.parametrize(
    "code",
    [
        "import time\nx = time.monotonic()",
        "from sqlalchemy import func\nx = func.now()",
    ],
)
def test_a_difference_of_times_is_no_reading(code: str, tmp_path: Path) -> None:
    assert not clock_readers(make_tree(tmp_path, {"libs/a/x.py": code}))


def test_the_clock_itself_may(tmp_path: Path) -> None:
    code = "import time\nx = time.time()"

    assert not clock_readers(
        make_tree(tmp_path, {"libs/x/src/clp_chassis/clock.py": code})
    )
