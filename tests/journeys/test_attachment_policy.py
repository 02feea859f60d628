"""A deployment's file says which attachments are taken, and people are told so."""

from pathlib import Path

import pytest

from clp_contracts.errors import Refused
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from tests.journeys.scenario import Scenario

SUBTITLES = b"1\n00:00:01,000 --> 00:00:02,000\nGood night.\n"


def test_the_policy_of_a_deployment_is_told_and_applied(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'extra_extensions = ["srt"]\nmax_bytes = 1_000\nmax_per_message = 2\n'
    )
    with EmbeddedSuite(tmp_path / "data", attachment_policy=policy) as suite:
        put_cast(suite.client(service="directory"))
        scenario = Scenario(suite, "p1")
        told = scenario.as_("nat").messages.policy()
        assert ("srt" in told.extensions, told.max_bytes, told.max_files) == (
            True,
            1_000,
            2,
        )
        channel = scenario.direct("north")

        def upload(size: int) -> str:
            return suite.files("nat").upload(
                channel=channel, name="night.srt", body=SUBTITLES.ljust(size, b"\n")
            )

        with pytest.raises(Refused) as too_large:
            upload(told.max_bytes + 1)
        assert too_large.value.code == "attachment.too_large"
        files = [upload(told.max_bytes) for _ in range(told.max_files + 1)]
        with pytest.raises(Refused) as too_many:
            scenario.post("nat", channel, "", attachments=files)
        assert too_many.value.code == "attachment.too_many"
        scenario.post("nat", channel, "", attachments=files[: told.max_files])
        (message,) = scenario.as_("ivy").messages.page(channel=channel).messages
        assert [file.name for file in message.attachments] == ["night.srt"] * 2
