"""Hundreds of mails with hostile and random texts, each checked byte for byte.

`make mails-many` judges ten thousand.
"""

import os

import pytest

from tests.services.notifications.generated import mails
from tests.services.notifications.mailcheck import faults

HOW_MANY = int(os.environ.get("TESTS_MAILS", "100"))
# Of many, each dot of the progress stands for a hundred.
BATCHES = max(10, HOW_MANY // 100)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_generated_mails_are_without_fault(seed: int) -> None:
    for number, (content, mail) in enumerate(mails(HOW_MANY // BATCHES, seed)):
        found = faults(mail.data, sender=mail.sender, recipient=str(mail.recipient))
        assert found == [], f"mail {number} of seed {seed}: {content}"
