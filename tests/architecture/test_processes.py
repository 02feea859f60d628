"""The list of process types agrees with the code."""

from pathlib import Path
from typing import cast

from clp_deploy.processes import PROCESS_TYPES
from tests.architecture.fixtures import make_tree
from tests.architecture.processes import listed_processes, unmatched_processes
from tests.architecture.tree import ROOT, report

LISTED = """\
    [[process]]
    name = "search"
    module = "clp_search"
    services = ["clp_search.service:SearchService"]
"""
SERVICE = """\
    class SearchService:
        name = "search"

        @on_events("messages")
        def on_messages(self, body): ...
"""
GOOD = {
    "deploy/processes.toml": LISTED,
    "services/search/src/clp_search/service.py": SERVICE,
    "services/search/src/clp_search/__main__.py": "",
}


def test_every_process_type_is_in_the_code_and_every_queue_has_one() -> None:
    found = unmatched_processes(ROOT)

    assert not found, report(found)


def test_every_process_type_documents_its_purpose_and_scaling() -> None:
    named = {
        "name",
        "module",
        "arguments",
        "services",
        "build",
        "does",
        "http",
        "migrates",
        "scale",
    }

    assert all(set(process) == named for process in listed_processes(ROOT))


def test_a_tree_whose_list_and_code_agree_is_fine(tmp_path: Path) -> None:
    assert not unmatched_processes(make_tree(tmp_path, GOOD))


def test_a_process_type_without_code_is_refused(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, GOOD | {"services/search/src/clp_search/service.py": ""})

    assert report(unmatched_processes(tree)) == (
        "deploy/processes.toml:1: search: clp_search.service:SearchService is not in the code"
    )


def test_a_process_type_that_cannot_be_started_is_refused(tmp_path: Path) -> None:
    files = {name: text for name, text in GOOD.items() if "__main__" not in name}

    assert report(unmatched_processes(make_tree(tmp_path, files))) == (
        "deploy/processes.toml:1: search: no clp_search.__main__"
    )


def test_a_service_that_no_process_runs_is_refused(tmp_path: Path) -> None:
    other = 'class Other:\n    name = "other"\n'
    tree = make_tree(
        tmp_path, GOOD | {"services/o/src/clp_o/service/__init__.py": other}
    )

    assert report(unmatched_processes(tree)) == (
        "services/o/src/clp_o/service/__init__.py:1: clp_o.service:Other: no process type runs it"
    )


def test_a_queue_without_a_process_is_refused_even_in_a_nameless_class(
    tmp_path: Path,
) -> None:
    other = "class Other:\n    @edge.on_events('x')\n    def hear(self, body): ...\n"
    tree = make_tree(tmp_path, GOOD | {"services/o/src/clp_o/hearing.py": other})

    assert report(unmatched_processes(tree)) == (
        "services/o/src/clp_o/hearing.py:1: clp_o.hearing:Other: no process type runs it"
    )


def test_the_suite_runs_the_process_types_of_the_list() -> None:
    listed = [
        (process["name"], (process["module"], *cast("list[str]", process["arguments"])))
        for process in listed_processes(ROOT)
    ]

    assert [(kind.name, kind.command) for kind in PROCESS_TYPES] == listed
