"""Settings of `portal`."""

from dataclasses import dataclass
from typing import Annotated

from clp_chassis.setting_kinds import (
    ADDRESS,
    DATABASE,
    ISSUED_SECRET,
    SECONDS,
    TIME_ZONE,
    WEB,
)
from clp_chassis.settings import HttpAddressFile, ProcessSettings, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_PORTAL_…``, or ``CLP_…`` for those of every process."""

    database_url: Annotated[
        str, Setting("the database of sessions", DATABASE, is_secret=True)
    ]
    secret: Annotated[
        str,
        Setting(
            "encrypts short-lived cookies and event ids, the same in every process",
            is_secret=True,
        ),
    ]
    http_address: Annotated[
        str, Setting("where pages are served; port 0: a free one", ADDRESS)
    ] = "127.0.0.1:8080"
    http_address_file: HttpAddressFile = ""
    public_url: Annotated[
        str, Setting("the origin under which browsers reach the portal", WEB)
    ] = "http://127.0.0.1:8080"
    messages_url: Annotated[
        str, Setting("where `messages` takes uploads and serves attachments", WEB)
    ] = "http://127.0.0.1:8000"
    oidc_issuer: Annotated[
        str, Setting("the identity provider; its discovery document lies below", WEB)
    ] = ""
    oidc_client_id: Annotated[
        str, Setting("the client registered at the identity provider")
    ] = "clp-portal"
    oidc_client_secret: Annotated[
        str, Setting("the secret of that client", ISSUED_SECRET, is_secret=True)
    ] = ""
    oidc_timeout_s: Annotated[
        float, Setting("how long the provider may take to respond", SECONDS, "s")
    ] = 5.0
    person_claim: Annotated[
        str, Setting("the claim of the ID token that is the person's id")
    ] = "sub"
    session_idle_s: Annotated[
        float, Setting("the end of a session without a request", SECONDS, "s")
    ] = 8 * 3600.0
    session_max_s: Annotated[
        float, Setting("the end of a session after sign-in", SECONDS, "s")
    ] = 20 * 3600.0
    time_zone: Annotated[
        str, Setting("of readers whose record names none", TIME_ZONE)
    ] = "UTC"
    support_address: Annotated[
        str, Setting("the address for questions; empty: none is shown")
    ] = ""
