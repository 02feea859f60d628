"""Files written by tools of this machine are judged right; `make test-corpus` has more."""

from collections import Counter

from clp_core.attachments import judge_content
from clp_messages.file_signatures import detect
from tests.corpus.published import CorpusFile, cases
from tests.corpus.written import written


def is_judged_right(file: CorpusFile) -> bool:
    found = detect(file.head)
    decision = judge_content(file.name, found.kind, likeness=found.likeness)
    return bool(decision) is file.accepted


def test_no_file_of_this_machine_s_tools_is_judged_wrongly() -> None:
    files = list(written())

    assert [f"{f.origin} as {f.name}" for f in files if not is_judged_right(f)] == []
    assert Counter(file.accepted for file in files)[True] > 600
    assert Counter(file.accepted for file in files)[False] > 300


def test_a_wrong_judgement_is_noticed() -> None:
    disguised, _ = cases("x", "a.pdf", b"MZ\x90\x00" + bytes(99))
    refused = [f for f in cases("x", "a.zip", b"a,b\n") if f.name == "a.csv"]

    assert not is_judged_right(disguised)
    assert [is_judged_right(file) for file in refused] == [False]
