"""OpenID Connect: authorization code flow with PKCE S256, state, nonce and ``iss``.

Authlib builds the requests, joserfc verifies the tokens. Nothing of the provider is
needed before the first sign-in, and a provider that is away ends no session.
"""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import Token

from clp_chassis.clock import Clock
from clp_portal.auth.sign_in import (
    Identity,
    ProviderLogout,
    ProviderStep,
    SignInFailed,
)

log = logging.getLogger(__name__)

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
SCOPE: Final = "openid"
CLOCK_SKEW_S: Final = 60
METADATA_TTL_S: Final = 3600.0
# An unknown key id fetches the keys again, but no more often than this.
KEYS_INTERVAL_S: Final = 30.0
MAX_LOGOUT_TOKEN_AGE_S: Final = 600
LOGOUT_TYPE: Final = "logout+jwt"
LOGOUT_TYPES: Final = frozenset({LOGOUT_TYPE, f"application/{LOGOUT_TYPE}", "jwt"})
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
MAX_CLAIM_LENGTH: Final = 64
MAX_SID_LENGTH: Final = 255
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """This portal as the provider knows it."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    signed_out_uri: str
    person_claim: str = "sub"
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class _Provider:
    """The provider's metadata and keys, as fetched."""

    metadata: Mapping[str, Any]
    keys: KeySet
    fetched_at: float


class OidcSignIn:
    """Sign-in at one OpenID provider (`SignInMethod`)."""

    is_development = False

    def __init__(
        self,
        client: OidcClient,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not _is_secure(client.issuer):
            raise ValueError("the issuer must be https, or on loopback")
        self._client = client
        self._clock = clock
        self._monotonic = monotonic
        self._provider: _Provider | None = None

    def ping(self) -> None:
        """Raise when the provider does not serve its metadata."""
        metadata = self._get(self._discovery)
        if metadata.get("issuer") != self._client.issuer:
            raise ValueError(f"the provider calls itself {metadata.get('issuer')}")

    @property
    def _discovery(self) -> str:
        return f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"

    def begin(self) -> ProviderStep:
        """Return the address of the provider's sign-in, and what to compare later."""
        provider = self._metadata()
        state = {
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
        }
        location, _ = self._session().create_authorization_url(
            provider["authorization_endpoint"],
            state=state["state"],
            nonce=state["nonce"],
            code_verifier=state["verifier"],
        )
        return ProviderStep(location=location, state=state)

    def finish(self, response: Mapping[str, str], state: Mapping[str, str]) -> Identity:
        """Exchange the code for an ID token and read the person from it."""
        provider = self._metadata()
        _require_response(response, state, provider)
        token = self._exchange(response["code"], state["verifier"], provider)
        claims = dict(self._verified(token).claims)
        self._require(claims, nonce={"essential": True, "value": state["nonce"]})
        _require_authorized_party(claims, self._client.client_id)
        person = claims.get(self._client.person_claim)
        if not isinstance(person, str) or not 0 < len(person) <= MAX_CLAIM_LENGTH:
            raise SignInFailed("claim")
        return Identity(person=person, provider_session=_sid_of(claims))

    def logout_url(self) -> str | None:
        """Return the address for RP-initiated logout, if the provider has one."""
        try:
            endpoint = self._metadata().get("end_session_endpoint")
        except SignInFailed:
            return None
        if not isinstance(endpoint, str):
            return None
        arguments = {
            "client_id": self._client.client_id,
            "post_logout_redirect_uri": self._client.signed_out_uri,
        }
        joint = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{joint}{urlencode(arguments)}"

    def read_logout(self, token: str) -> ProviderLogout:
        """Check a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6)."""
        self._metadata()
        decoded = self._verified(token)
        claims = dict(decoded.claims)
        # Providers that type their tokens keep one kind from being taken for another.
        if decoded.header.get("typ", LOGOUT_TYPE).lower() not in LOGOUT_TYPES:
            raise SignInFailed("logout_type")
        self._require(claims, iat={"essential": True})
        events = claims.get("events")
        if not isinstance(events, dict) or LOGOUT_EVENT not in events:
            raise SignInFailed("logout_event")
        if "nonce" in claims:
            raise SignInFailed("logout_nonce")
        if self._clock().timestamp() - int(claims["iat"]) > MAX_LOGOUT_TOKEN_AGE_S:
            raise SignInFailed("logout_age")
        sid, person = _sid_of(claims), claims.get(self._client.person_claim)
        if sid is None and not isinstance(person, str):
            raise SignInFailed("logout_subject")
        if sid is not None:
            return ProviderLogout(provider_session=sid)
        return ProviderLogout(person=person)

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self._client.client_id,
            self._client.client_secret or None,
            scope=SCOPE,
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method=(
                "client_secret_basic" if self._client.client_secret else "none"
            ),
        )

    def _exchange(self, code: str, verifier: str, provider: Mapping[str, Any]) -> str:
        try:
            token = self._session().fetch_token(
                provider["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                timeout=self._client.timeout_s,
            )
        except (AuthlibBaseError, requests.RequestException, ValueError) as error:
            log.warning("the token endpoint refused: %s", type(error).__name__)
            raise SignInFailed("exchange") from None
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise SignInFailed("id_token")
        return id_token

    def _metadata(self) -> Mapping[str, Any]:
        held = self._provider
        if held is not None and self._monotonic() - held.fetched_at < METADATA_TTL_S:
            return held.metadata
        return self._fetch().metadata

    def _fetch(self) -> _Provider:
        """Fetch metadata and keys; raises `SignInFailed` (``provider``)."""
        try:
            metadata = self._get(self._discovery)
            keys = KeySet.import_key_set(self._get(metadata["jwks_uri"]))
        except (requests.RequestException, ValueError, KeyError, JoseError) as error:
            log.warning("the provider cannot be reached: %s", type(error).__name__)
            raise SignInFailed("provider") from None
        if metadata.get("issuer") != self._client.issuer:
            raise SignInFailed("issuer")
        self._provider = _Provider(metadata, keys, self._monotonic())
        return self._provider

    def _get(self, address: str) -> Any:
        if not _is_secure(address):
            raise ValueError("not https")
        response = requests.get(address, timeout=self._client.timeout_s)
        response.raise_for_status()
        return response.json()

    def _verified(self, token: str) -> Token:
        provider = self._provider or self._fetch()
        try:
            return jwt.decode(token, provider.keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            if self._monotonic() - provider.fetched_at < KEYS_INTERVAL_S:
                raise SignInFailed("signature") from error
        # The provider may have exchanged its keys.
        try:
            keys = self._fetch().keys
            return jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise SignInFailed("signature") from error

    def _require(self, claims: dict[str, Any], **more: Any) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()),
            leeway=CLOCK_SKEW_S,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id},
            **{"exp": {"essential": "nonce" in more}, **more},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise SignInFailed("claims") from error


def _require_response(
    response: Mapping[str, str], state: Mapping[str, str], provider: Mapping[str, Any]
) -> None:
    """Check state and ``iss`` of an authorization response (RFC 9207, 2.4)."""
    if not state.get("state") or not secrets.compare_digest(
        response.get("state", "").encode(), state["state"].encode()
    ):
        raise SignInFailed("state")
    sends_iss = provider.get("authorization_response_iss_parameter_supported") is True
    names_issuer = "iss" in response or sends_iss
    if names_issuer and response.get("iss") != provider["issuer"]:
        raise SignInFailed("iss")
    if "error" in response or not response.get("code"):
        raise SignInFailed("refused")


def _require_authorized_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Check ``azp`` (OpenID Connect Core 1.0, 3.1.3.7, steps 4 and 5)."""
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise SignInFailed("azp")
    if claims.get("azp", client_id) != client_id:
        raise SignInFailed("azp")


def _sid_of(claims: Mapping[str, Any]) -> str | None:
    sid = claims.get("sid")
    if isinstance(sid, str) and 0 < len(sid) <= MAX_SID_LENGTH:
        return sid
    return None


def _is_secure(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    )
