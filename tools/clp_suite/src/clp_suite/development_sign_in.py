"""The development sign-in: choose who you are, on this machine only.

No setting, flag or file turns it on. `EmbeddedSuite` hands it to the portal in code,
and it refuses anything but a loopback address and the in-process broker.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from clp_portal.auth.sign_in import (
    Choice,
    ChoiceStep,
    Identity,
    ProviderLogout,
    SignInFailed,
)
from clp_suite.sample_data import CAST, PARTNERS

STUDIO: Final = "the studio"
LOOPBACK: Final = ("127.0.0.1:", "localhost:", "[::1]:")
IN_PROCESS: Final = "inprocess://"


def sample_choices() -> tuple[Choice, ...]:
    """Return everybody of the sample world."""
    return tuple(
        Choice(
            person=person.id,
            label=f"{person.name} · {PARTNERS.get(person.partner or '', STUDIO)}",
        )
        for person in CAST
    )


class DevelopmentSignIn:
    """Sign in as anybody of a list (`SignInMethod`).

    Raises:
        ValueError: for a broker of others, or an address that others can reach.
    """

    is_development = True

    def __init__(
        self, choices: Iterable[Choice], *, broker_url: str, http_address: str
    ) -> None:
        if not broker_url.startswith(IN_PROCESS):
            raise ValueError("the development sign-in needs the in-process broker")
        if not http_address.startswith(LOOPBACK):
            raise ValueError("the development sign-in serves on loopback only")
        self._choices = {choice.person: choice for choice in choices}

    def begin(self) -> ChoiceStep:
        """Let the browser choose."""
        return ChoiceStep(choices=tuple(self._choices.values()))

    def finish(self, response: Mapping[str, str], state: Mapping[str, str]) -> Identity:
        """Return who was chosen.

        Raises:
            SignInFailed: for somebody who is not on the list.
        """
        del state
        choice = self._choices.get(response.get("person", ""))
        if choice is None:
            raise SignInFailed("unknown_choice")
        return Identity(person=choice.person)

    def logout_url(self) -> str | None:
        """Return None: there is no provider."""
        return None

    def read_logout(self, token: str) -> ProviderLogout:
        """Refuse: there is no provider that could end a session."""
        del token
        raise SignInFailed("no_provider")
