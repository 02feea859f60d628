"""Initials and colours of people."""

import pytest

from clp_portal.views.people import HUES, avatar, initials


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nat Moreau", "NM"),
        ("Mike O'Connor", "MO"),
        ("Jean-Luc de la Cruz", "JC"),
        ("ivy", "I"),
        ("田中 太郎", "田"),
        ("أحمد علي", "أ"),
        ("  ", "?"),
        ("🦓🎬", "🦓"),
        ("(Robot)", "R"),
        ("e\u0301mile zola", "ÉZ"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_the_colour_follows_from_the_id_and_not_from_the_name() -> None:
    assert avatar("nat", "Nat Moreau").hue == avatar("nat", "Nathalie Moreau").hue
    hues = {avatar(f"person-{n}", "X").hue for n in range(300)}
    assert hues == set(range(HUES))
