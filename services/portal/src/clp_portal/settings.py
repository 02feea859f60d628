"""Settings of `portal`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_PORTAL_…``, or ``CLP_…`` where services share a value.

    ``public_url`` is the origin under which browsers reach the portal
    (``https://portal.example``). ``secret`` encrypts short-lived cookies; it is the
    same in every portal process. ``person_claim`` names the claim of the ID token that
    is the person's id. Sessions end after ``session_idle_s`` without a request and
    ``session_max_s`` after sign-in, in seconds.
    """

    database_url: str = "sqlite:///portal.db"
    http_address: str = "127.0.0.1:8080"
    http_address_file: str = ""
    public_url: str = "http://127.0.0.1:8080"
    # Where `messages` takes uploads and serves attachments.
    messages_url: str = "http://127.0.0.1:8000"
    secret: str
    oidc_issuer: str = ""
    oidc_client_id: str = "clp-portal"
    oidc_client_secret: str = ""
    oidc_timeout_s: float = 5.0
    person_claim: str = "sub"
    session_idle_s: float = 8 * 3600.0
    session_max_s: float = 20 * 3600.0
    # The time zone of people whose record names none, and the address for questions.
    time_zone: str = "UTC"
    support_address: str = ""
