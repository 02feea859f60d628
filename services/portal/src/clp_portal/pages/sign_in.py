"""Signing in and out."""

import logging
from collections.abc import Mapping
from typing import Final

from clp_contracts.errors import Refused
from clp_portal.auth.sign_in import ChoiceStep, Identity, SignInFailed
from clp_portal.metrics import SIGN_INS
from clp_portal.views.urls import SIGNED_OUT, local_path
from clp_portal.web import (
    Context,
    JsonResponse,
    RedirectResponse,
    Response,
    TemplateResponse,
)

log = logging.getLogger(__name__)

UNAVAILABLE: Final = frozenset({"provider", "issuer"})


def show_sign_in(context: Context) -> Response:
    """Begin a sign-in: at the provider, or with the development choice of people."""
    next_path = local_path(context.request.query.get("next", "/"))
    try:
        step = context.deps.sign_in.begin()
    except SignInFailed as failed:
        raise _refused(failed) from None
    if isinstance(step, ChoiceStep):
        values = {"choices": step.choices, "next": next_path}
        return TemplateResponse(template="sign_in.html", values=values)
    return RedirectResponse(
        location=step.location, sign_in_state={**step.state, "next": next_path}
    )


def finish_sign_in(context: Context) -> Response:
    """Finish a sign-in with what the browser brings back from the provider."""
    state = context.sign_in_state
    if state is None:
        raise _refused(SignInFailed("no_state"))
    response = dict(context.request.query.pairs)
    return _begin(
        context, response, state, next_path=local_path(state.get("next", "/"))
    )


def choose_person(context: Context) -> Response:
    """Finish the development sign-in."""
    if not context.deps.sign_in.is_development:
        raise Refused("path.missing")
    form = context.request.form
    response = {"person": form.get("person")}
    return _begin(context, response, {}, next_path=local_path(form.get("next", "/")))


def _begin(
    context: Context,
    response: Mapping[str, str],
    state: Mapping[str, str],
    *,
    next_path: str,
) -> Response:
    try:
        identity = context.deps.sign_in.finish(response, state)
    except SignInFailed as failed:
        raise _refused(failed) from None
    SIGN_INS.labels("signed_in").inc()
    return RedirectResponse(
        location=next_path, session_id=_new_session(context, identity)
    )


def _new_session(context: Context, identity: Identity) -> str:
    """Begin a session under a new id, whatever session there was before."""
    if context.session_id:
        context.deps.sessions.end(context.session_id)
        context.deps.live.close_ended_sessions()
    context.deps.identities.invalidate(identity.person)
    return context.deps.sessions.create(
        identity.person, provider_session=identity.provider_session
    )


def sign_out(context: Context) -> Response:
    """End the session here, then at the provider."""
    if context.session_id:
        context.deps.sessions.end(context.session_id)
        context.deps.live.close_ended_sessions()
    provider = context.deps.sign_in.logout_url()
    return RedirectResponse(location=provider or SIGNED_OUT, ends_session=True)


def show_signed_out(context: Context) -> Response:
    """Say that the session is over."""
    del context
    return TemplateResponse(template="signed_out.html")


def sign_out_by_provider(context: Context) -> Response:
    """End sessions that ended at the provider (back-channel logout)."""
    token = context.request.form.get("logout_token")
    try:
        logout = context.deps.sign_in.read_logout(token)
    except SignInFailed as failed:
        log.warning("refused a logout token: %s", failed.reason)
        raise Refused("request.malformed") from None
    sessions = context.deps.sessions
    if logout.provider_session is not None:
        sessions.end_provider_session(logout.provider_session)
    elif logout.person is not None:
        sessions.end_all(logout.person)
    context.deps.live.close_ended_sessions()
    return JsonResponse(body={})


def _refused(failed: SignInFailed) -> Refused:
    log.warning("a sign-in failed: %s", failed.reason)
    SIGN_INS.labels(failed.reason).inc()
    code = "unavailable" if failed.reason in UNAVAILABLE else "failed"
    return Refused(f"sign_in.{code}")
