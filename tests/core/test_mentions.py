"""The face of the package; its tables and properties are in ``mentions/``."""

import clp_core.mentions as face
from tests.core.sample_world import BROADCAST, IVY, NAT, P1


def test_everything_that_is_offered_is_there_and_told() -> None:
    for name in face.__all__:
        offered = getattr(face, name)
        assert offered is not None
        if callable(offered) and offered is not face.PrefixEntry:
            assert offered.__doc__


def test_two_steps_lead_from_a_text_to_people() -> None:
    text = "@Nat Moreau, please"
    directory = {face.name_key(NAT.name): NAT, face.address_key(NAT.email): NAT}

    keys = face.lookup_keys_in(text)
    owners = {directory[key] for key in keys if key in directory}
    found = face.resolve_mentions(
        text, author=IVY, channel=BROADCAST, project=P1, owners=owners
    )

    assert found.people == {NAT}
