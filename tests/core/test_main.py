"""The command line: a table of who is told and why, or one sentence about the mistake."""

import io
import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clp_core.__main__ import main
from tests.core.test_scenarios import EXAMPLES, scenario_data

EXPECTED = """\
p1/direct/north, posted by Ivy Lane

PERSON            SIDE      RULE  TRIGGER  WHY
Ian Moss (ian)    internal  R3    -        not told: follows, but messages of this kind go to the other side
Ivy Lane (ivy)    internal  23    -        not told: wrote the message
Lin Okafor (lin)  internal  2     -        not told: the portal is not open to this person
Nat Moreau (nat)  north     22    -        not told: follows, but the message mentions people and tells only them
Nia Roux (nia)    north     R4    mention  told: mentioned in the message
Sam Duarte (sam)  south     23    -        not told: may not read the channel

1 of 6 told
"""


def written(folder: Path, content: Any) -> str:
    path = folder / "facts.json"
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(data)
    return str(path)


def test_the_example_prints_who_is_told_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", str(EXAMPLES / "mention_in_direct.json")]) == 0
    assert capsys.readouterr().out == EXPECTED


def test_an_edited_message_of_the_robot(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    facts = scenario_data(
        channel="p1/broadcast", author="robot", occasion="edited", mentioned=[]
    )
    assert main(["explain", written(tmp_path, facts)]) == 0
    title, *_, total = capsys.readouterr().out.splitlines()
    assert title == "p1/broadcast, edited by the robot"
    assert total == "0 of 4 told"


def test_facts_may_come_from_the_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO(json.dumps(scenario_data()).encode("utf-8-sig"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert main(["explain", "-"]) == 0
    assert "Nat Moreau" in capsys.readouterr().out


def test_columns_stand_straight_in_any_script(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    people = [
        {"id": "a", "name": "田中さん"},
        {"id": "b", "name": "Rene\u0301"},
        {"id": "c"},
        {"id": "d", "name": "Ｄ"},
    ]
    facts = scenario_data(people=people, author="c", followers=[], mentioned=[])
    assert main(["explain", written(tmp_path, facts)]) == 0
    rows = capsys.readouterr().out.splitlines()[2:7]
    assert [row.split("internal")[0] for row in rows[1:]] == [
        "田中さん (a)  ",
        "Rene\u0301 (b)      ",
        "c             ",
        "Ｄ (d)        ",
    ]
    assert rows[0].startswith("PERSON        SIDE")


def test_a_name_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    people = [{"id": "ivy", "name": "\x1b[2JIvy\n\u202e\ud83d"}]
    facts = scenario_data(people=people, followers=[], mentioned=[])
    assert main(["explain", written(tmp_path, facts)]) == 0
    out = capsys.readouterr().out
    assert out.count(r"\u001b[2JIvy\u000a\u202e\ud83d") == 2
    assert out.count("\n") == 6


MISTAKES = [
    (b"{", "is not JSON: Expecting property name enclosed in double quotes in line 1"),
    (b"[\n1,\n", "is not JSON: Expecting value in line 3"),
    (b"\xff", "is not UTF-8"),
    (b"[" * 200_000, "is nested too deeply"),
    (b"[]", "the file: must be a table of fields"),
    (b'{"\\u001b": 1}', "\\u001b: there is no such field"),
    (scenario_data(author="zed"), "author: nobody in people is called 'zed'"),
]


@pytest.mark.parametrize(
    ("content", "sentence"), MISTAKES, ids=[m[1].replace("\\", "%") for m in MISTAKES]
)
def test_a_mistake_is_one_sentence_and_status_2(
    content: Any, sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    assert main(["explain", path]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"{path}: {sentence}\n"
    assert captured.out == ""


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "nowhere.json"]) == 2
    assert (
        capsys.readouterr().err
        == "nowhere.json: cannot be read: No such file or directory\n"
    )


def test_help_shows_an_example_that_works(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: python -m clp_core explain [-h] FILE")
    lines = shown.splitlines()
    assert "List who is told of a message and who is not, with reasons." in lines
    assert "  FILE        facts as JSON; - reads the input" in lines
    assert '   "followers": ["nat"], "mentioned": [],' in lines
    example = shown[shown.index("{") : shown.rindex("}") + 1]
    assert main(["explain", written(tmp_path, example.encode())]) == 0
    assert "1 of 2 told" in capsys.readouterr().out


def test_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: python -m clp_core [-h] COMMAND ...\n" in shown
    assert "\nThe rules of CLP Communications.\n" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("    explain")]
    told = "list who is told of a message and who is not, with reasons"
    assert " ".join(line.split()) == f"explain {told}"


@pytest.mark.parametrize("arguments", [[], ["explain"], ["forget"]])
def test_any_other_call_is_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m clp_core")


def test_the_module_runs_as_a_command() -> None:
    example = str(EXAMPLES / "mention_in_direct.json")
    ran = subprocess.run(
        [sys.executable, "-m", "clp_core", "explain", example],
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stdout == EXPECTED


def test_running_the_module_ends_with_the_status_of_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "clp_core.__main__")
    monkeypatch.setattr(sys, "argv", ["clp_core", "explain", "nowhere.json"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("clp_core", run_name="__main__")
    assert ended.value.code == 2
