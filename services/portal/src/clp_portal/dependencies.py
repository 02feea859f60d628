"""Dependencies of the handlers of `portal`."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_portal.attachment_proxy import AttachmentProxy
from clp_portal.auth.encryption import Encryption
from clp_portal.auth.identities import Identities
from clp_portal.auth.person_clients import PersonClients
from clp_portal.auth.sessions import Sessions
from clp_portal.auth.sign_in import SignInMethod
from clp_portal.live.updates import LiveUpdates
from clp_portal.rendering import Renderer
from clp_portal.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Sessions, sign-in, and clients for any person."""

    settings: Settings
    database: Database
    sessions: Sessions
    sign_in: SignInMethod
    identities: Identities
    people: PersonClients
    attachments: AttachmentProxy
    encryption: Encryption
    renderer: Renderer
    live: LiveUpdates
    clock: Clock
