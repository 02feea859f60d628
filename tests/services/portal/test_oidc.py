"""OpenID Connect against a provider: PKCE, state, nonce, ``iss``, and logout tokens."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey

from clp_chassis.clock import now
from clp_portal.auth.oidc import LOGOUT_EVENT, OidcClient, OidcSignIn
from clp_portal.auth.sign_in import Identity, ProviderLogout, SignInFailed
from tests.services.portal.openid_provider import Provider

# The mock provider lives in this process, and uses what Authlib is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")

CALLBACK = "http://127.0.0.1:8080/-/sign-in/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> OidcClient:
    return OidcClient(
        issuer=provider.issuer,
        client_id="clp-portal",
        client_secret="a secret",
        redirect_uri=CALLBACK,
        signed_out_uri="http://127.0.0.1:8080/-/signed-out",
    )


@pytest.fixture
def sign_in(client: OidcClient) -> OidcSignIn:
    return OidcSignIn(client, now)


def authorize(location: str, person: str = "nat") -> dict[str, str]:
    """Sign in at the provider and return what the browser brings back."""
    response = requests.post(
        location, data={"sub": person}, allow_redirects=False, timeout=5
    )
    back = urlsplit(response.headers["Location"])
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def test_a_person_signs_in(sign_in: OidcSignIn) -> None:
    step = sign_in.begin()
    identity = sign_in.finish(authorize(step.location), step.state)
    assert identity == Identity(person="nat")


def test_the_request_carries_pkce_state_and_nonce(sign_in: OidcSignIn) -> None:
    step = sign_in.begin()
    query = parse_qs(urlsplit(step.location).query)
    assert query["code_challenge_method"] == ["S256"]
    digest = hashlib.sha256(step.state["verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert query["code_challenge"] == [challenge]
    assert step.state["verifier"] not in step.location
    assert query["state"] == [step.state["state"]]
    assert query["nonce"] == [step.state["nonce"]]
    assert query["response_type"] == ["code"]
    assert query["redirect_uri"] == [CALLBACK]


def test_every_sign_in_has_values_of_its_own(sign_in: OidcSignIn) -> None:
    first, second = sign_in.begin().state, sign_in.begin().state
    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": "another"}, "state"),
        ({"state": ""}, "state"),
        ({"nonce": "another"}, "claims"),
    ],
)
def test_what_was_kept_must_fit(
    sign_in: OidcSignIn, changed: dict[str, str], reason: str
) -> None:
    step = sign_in.begin()
    back = authorize(step.location)
    with pytest.raises(SignInFailed) as failed:
        sign_in.finish(back, {**step.state, **changed})
    assert failed.value.reason == reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": "another"}, "state"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"code": "another"}, "exchange"),
        ({"code": ""}, "refused"),
        ({"error": "access_denied"}, "refused"),
    ],
)
def test_what_comes_back_must_fit(
    sign_in: OidcSignIn, changed: dict[str, str], reason: str
) -> None:
    step = sign_in.begin()
    back = {**authorize(step.location), **changed}
    with pytest.raises(SignInFailed) as failed:
        sign_in.finish(back, step.state)
    assert failed.value.reason == reason


def test_an_issuer_that_is_named_rightly_is_fine(
    sign_in: OidcSignIn, provider: Provider
) -> None:
    step = sign_in.begin()
    back = {**authorize(step.location), "iss": provider.issuer}
    assert sign_in.finish(back, step.state).person == "nat"


def test_a_code_is_used_once(sign_in: OidcSignIn) -> None:
    step = sign_in.begin()
    back = authorize(step.location)
    sign_in.finish(back, step.state)
    with pytest.raises(SignInFailed):
        sign_in.finish(back, step.state)


def test_an_expired_token_is_refused(client: OidcClient) -> None:
    late = OidcSignIn(client, lambda: datetime.now(UTC) + timedelta(days=2))  # noqa: TID251
    step = late.begin()
    back = authorize(step.location)
    with pytest.raises(SignInFailed) as failed:
        late.finish(back, step.state)
    assert failed.value.reason == "claims"


def test_a_token_for_another_client_is_refused(client: OidcClient) -> None:
    sign_in = OidcSignIn(client, now)
    step = sign_in.begin()
    back = authorize(step.location)
    other = OidcSignIn(replace(client, client_id="another"), now)
    with pytest.raises(SignInFailed):
        other.finish(back, step.state)


def test_the_person_is_the_claim_that_the_operator_names(
    client: OidcClient, provider: Provider
) -> None:
    provider.put_user("subject-17", {"employee": "nia"})
    sign_in = OidcSignIn(replace(client, person_claim="employee"), now)
    step = sign_in.begin()
    back = authorize(step.location, "subject-17")
    assert sign_in.finish(back, step.state).person == "nia"


def test_a_token_without_the_claim_signs_nobody_in(client: OidcClient) -> None:
    sign_in = OidcSignIn(replace(client, person_claim="employee"), now)
    step = sign_in.begin()
    with pytest.raises(SignInFailed) as failed:
        sign_in.finish(authorize(step.location), step.state)
    assert failed.value.reason == "claim"


def test_a_provider_that_is_away_is_said_so(client: OidcClient) -> None:
    gone = replace(client, issuer="http://127.0.0.1:9")
    with pytest.raises(SignInFailed) as failed:
        OidcSignIn(gone, now).begin()
    assert failed.value.reason == "provider"


@pytest.mark.parametrize("issuer", ["http://provider.example", "ftp://x", "provider"])
def test_an_issuer_must_be_https_or_on_loopback(
    client: OidcClient, issuer: str
) -> None:
    with pytest.raises(ValueError, match="https"):
        OidcSignIn(replace(client, issuer=issuer), now)


# ---- back-channel logout


def logout_claims(issuer: str, **changed: object) -> dict[str, object]:
    at = int(time.time())
    claims: dict[str, object] = {
        "iss": issuer,
        "aud": "clp-portal",
        "iat": at,
        "exp": at + 120,
        "jti": secrets.token_hex(8),
        "events": {LOGOUT_EVENT: {}},
        "sid": "session-1",
    }
    claims |= changed
    return {name: value for name, value in claims.items() if value is not None}


def signed(key: RSAKey, claims: dict[str, object], algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)


@pytest.fixture
def own_keys(client: OidcClient) -> Iterator[tuple[OidcSignIn, RSAKey, str]]:
    """A provider whose private key the test holds."""
    key = RSAKey.generate_key(2048, auto_kid=True)
    with Provider(keys=[key]) as running:
        yield (
            OidcSignIn(replace(client, issuer=running.issuer), now),
            key,
            running.issuer,
        )


# What is changed in an ID token: its claims and its header.
ID_TOKENS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "nothing": ({}, {}),
    "another issuer": ({"iss": "https://evil.example"}, {}),
    "no issuer": ({"iss": None}, {}),
    "another audience": ({"aud": "another"}, {}),
    "no audience": ({"aud": None}, {}),
    "two audiences and no party": ({"aud": ["clp-portal", "another"]}, {}),
    "another party": ({"azp": "another"}, {}),
    "expired": ({"exp": 1_000_000_000}, {}),
    "no expiry": ({"exp": None}, {}),
    "not valid yet": ({"nbf": 4_000_000_000}, {}),
    "the nonce of another sign-in": ({"nonce": "another"}, {}),
    "no nonce": ({"nonce": None}, {}),
    "no person": ({"sub": None}, {}),
    "a person that is no text": ({"sub": ["nat"]}, {}),
    "no algorithm": ({}, {"alg": "none"}),
    "the public key as a password": ({}, {"alg": "HS256"}),
    "a key that the token brings": ({}, {"jwk": {}}),
    "extensions nobody knows": ({}, {"crit": ["x"], "x": 1}),
}


def test_t37_a_forged_id_token_signs_nobody_in(
    own_keys: tuple[OidcSignIn, RSAKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in, key, issuer = own_keys
    foreign = RSAKey.generate_key(2048, parameters={"kid": key.kid})
    taken = []
    for changed, (claims, header) in ID_TOKENS.items():
        whole = logout_claims(
            issuer, **{"events": None, "sub": "nat", "nonce": "n", **claims}
        )
        token = id_token(foreign if "jwk" in header else key, whole, header)
        monkeypatch.setattr(sign_in, "_exchange", lambda *_, token=token: token)
        kept = {"state": "s", "nonce": "n", "verifier": "v"}
        with suppress(SignInFailed):
            sign_in.finish({"state": "s", "code": "c"}, kept)
            taken.append(changed)
    assert taken == ["nothing"]


def id_token(key: RSAKey, claims: dict[str, object], changed: dict[str, object]) -> str:
    """Build a token by hand: libraries refuse to make some of these."""
    header = {"alg": "RS256", "kid": key.kid, **changed}
    if "jwk" in changed:
        header["jwk"] = key.as_dict(private=False)
    content = ".".join(
        in_base64(json.dumps(part).encode()) for part in (header, claims)
    )
    signature = key.private_key.sign(
        content.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    if header["alg"] == "HS256":
        password = key.as_pem(private=False)
        signature = hmac.digest(password, content.encode(), "sha256")
    return f"{content}.{'' if header['alg'] == 'none' else in_base64(signature)}"


def in_base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def test_a_session_ends_at_the_provider(
    own_keys: tuple[OidcSignIn, RSAKey, str],
) -> None:
    sign_in, key, issuer = own_keys
    token = signed(key, logout_claims(issuer))
    assert sign_in.read_logout(token) == ProviderLogout(provider_session="session-1")


def test_all_sessions_of_a_person_end_at_the_provider(
    own_keys: tuple[OidcSignIn, RSAKey, str],
) -> None:
    sign_in, key, issuer = own_keys
    token = signed(key, logout_claims(issuer, sid=None, sub="nat"))
    assert sign_in.read_logout(token) == ProviderLogout(person="nat")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://evil.example"}, "claims"),
        ({"aud": "another"}, "claims"),
        ({"iat": None}, "claims"),
        ({"iat": 1_000_000_000, "exp": None}, "logout_age"),
        ({"exp": 1_000_000_000}, "claims"),
        ({"events": {}}, "logout_event"),
        ({"events": None}, "logout_event"),
        ({"nonce": "n"}, "logout_nonce"),
        ({"sid": None}, "logout_subject"),
    ],
)
def test_a_logout_token_that_does_not_fit_ends_nothing(
    own_keys: tuple[OidcSignIn, RSAKey, str],
    changed: dict[str, object],
    reason: str,
) -> None:
    sign_in, key, issuer = own_keys
    token = signed(key, logout_claims(issuer, **changed))
    with pytest.raises(SignInFailed) as failed:
        sign_in.read_logout(token)
    assert failed.value.reason == reason


@pytest.mark.parametrize(
    ("kind", "is_taken"),
    [
        ("logout+jwt", True),
        ("application/logout+jwt", True),
        ("JWT", True),
        ("at+jwt", False),
        ("id+jwt", False),
        ("secevent+jwt", False),
    ],
)
def test_a_token_of_another_type_ends_nothing(
    own_keys: tuple[OidcSignIn, RSAKey, str], kind: str, *, is_taken: bool
) -> None:
    sign_in, key, issuer = own_keys
    header = {"alg": "RS256", "kid": key.kid, "typ": kind}
    token = jwt.encode(header, logout_claims(issuer), key)
    if is_taken:
        assert sign_in.read_logout(token).provider_session == "session-1"
        return
    with pytest.raises(SignInFailed) as failed:
        sign_in.read_logout(token)
    assert failed.value.reason == "logout_type"


def test_metadata_of_another_issuer_is_refused(
    own_keys: tuple[OidcSignIn, RSAKey, str], client: OidcClient
) -> None:
    _, _, issuer = own_keys
    # The same server under another name: its metadata names itself.
    named = issuer.replace("127.0.0.1", "localhost")
    with pytest.raises(SignInFailed) as failed:
        OidcSignIn(replace(client, issuer=named), now).begin()
    assert failed.value.reason == "issuer"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_ends_nothing(
    own_keys: tuple[OidcSignIn, RSAKey, str], token: str
) -> None:
    with pytest.raises(SignInFailed) as failed:
        own_keys[0].read_logout(token)
    assert failed.value.reason == "signature"


def test_a_token_of_a_foreign_key_ends_nothing(
    own_keys: tuple[OidcSignIn, RSAKey, str],
) -> None:
    sign_in, key, issuer = own_keys
    foreign = RSAKey.generate_key(2048, parameters={"kid": key.kid})
    with pytest.raises(SignInFailed) as failed:
        sign_in.read_logout(signed(foreign, logout_claims(issuer)))
    assert failed.value.reason == "signature"
