"""The example that other teams copy runs as it is written."""

from pathlib import Path

from clp_suite import EmbeddedSuite


def test_the_example_of_the_embedded_suite(tmp_path: Path) -> None:
    data_dir = str(tmp_path / "data")
    with EmbeddedSuite(data_dir) as suite:
        admin = suite.client(service="directory")
        admin.projects.put_partner(id="north", name="North Dubbing")
        admin.projects.put_project(id="p1", title="Night Train")
        admin.projects.put_person(
            id="ivy",
            name="Ivy Lane",
            email="ivy@studio.example",
            internal=True,
            roles=["dub_portal_user"],
        )
        admin.projects.put_person(
            id="nat",
            name="Nat Moreau",
            email="nat@north.example",
            partner="north",
            roles=["dub_portal_user"],
        )
        admin.projects.assign_partner(project="p1", partner="north", languages=["fr"])
        nat = suite.client("nat")
        nat.projects.follow(project="p1")
        posted = suite.client("ivy").messages.post(
            channel="p1/direct/north", text="Hello @Nat Moreau", key="k1"
        )
        suite.settle()
        (mail,) = suite.mails()
        assert b"nat@north.example" in mail
        assert len(posted.id) == 32
        assert posted.mentions[0].outcome == "mentioned"


def test_a_suite_started_again_on_its_folder_goes_on(tmp_path: Path) -> None:
    with EmbeddedSuite(tmp_path) as suite:
        admin = suite.client(service="directory")
        admin.projects.put_project(id="p1", title="Night Train")
        admin.projects.put_person(
            id="ivy",
            name="Ivy Lane",
            email="ivy@studio.example",
            internal=True,
            roles=["dub_portal_user"],
        )
        ivy = suite.client("ivy").messages
        first = ivy.post(channel="p1/broadcast", text="zebra", key="k1")
        suite.settle()
    with EmbeddedSuite(tmp_path) as suite:
        ivy = suite.client("ivy").messages
        assert ivy.post(channel="p1/broadcast", text="zebra", key="k1") == first
        second = ivy.post(channel="p1/broadcast", text="zebras again", key="k2")
        suite.settle()
        found = suite.client("ivy").search.find(query="zebra*", project="p1")
        assert [hit.message for hit in found.hits] == [second.id, first.id]
        assert second.number == 2
