"""The interface of a sign-in method; the portal is built with exactly one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class SignInFailed(Exception):
    """The sign-in cannot be completed; ``reason`` is a code for logs and metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStep:
    """Send the browser to the provider, and keep ``state`` until it comes back."""

    location: str
    state: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A person one can sign in as, where the sign-in is a development one."""

    person: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceStep:
    """Let the browser choose a person; development only."""

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person, with the provider's session if it names one."""

    person: str
    provider_session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLogout:
    """A logout at the provider: of one session, or of all sessions of a person."""

    provider_session: str | None = None
    person: str | None = None


class SignInMethod(Protocol):
    """A way to find out which person uses a browser."""

    @property
    def is_development(self) -> bool:
        """Whether anybody can be anybody; every page then bears a banner."""

    def begin(self) -> ProviderStep | ChoiceStep:
        """Begin a sign-in.

        Raises:
            SignInFailed: if the provider cannot be reached.
        """

    def finish(self, response: Mapping[str, str], state: Mapping[str, str]) -> Identity:
        """Check what the browser brought back.

        Raises:
            SignInFailed: if anything does not fit.
        """

    def logout_url(self) -> str | None:
        """Return where the provider ends its own session, if it can."""

    def read_logout(self, token: str) -> ProviderLogout:
        """Check a back-channel logout token.

        Raises:
            SignInFailed: if it is not one of this provider for this client.
        """
