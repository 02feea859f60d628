"""Every reply at every stage has one effect (rule 41), as a table that is played."""

import itertools

import pytest

from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from clp_notifications.delivery.smtp_replies import (
    SESSION,
    Effect,
    SmtpStage,
    outcome_of_reply,
)
from tests.services.notifications.mail_builders import at_once, mailed
from tests.services.notifications.relay import EXTENSIONS, ScriptedRelay

EFFECTS = {
    "ref": (Effect.RELAY_REFUSED, TransitionReason.RELAY_REFUSED),
    "bsy": (Effect.THROTTLED, TransitionReason.RELAY_BUSY),
    "ltr": (Effect.MAIL_AGAIN, TransitionReason.MAILBOX_BUSY),
    "ful": (Effect.PERSON_LATER, TransitionReason.MAILBOX_BUSY),
    "pol": (Effect.POLICY_REFUSED, TransitionReason.POLICY),
    "unk": (Effect.ADDRESS_REFUSED, TransitionReason.ADDRESS_UNKNOWN),
    "big": (Effect.MAIL_DEAD, TransitionReason.TOO_BIG),
    "ded": (Effect.MAIL_DEAD, TransitionReason.REFUSED),
    "uns": (Effect.UNSENDABLE, TransitionReason.NO_SMTPUTF8),
}
# fmt: off
MATRIX = [
    # reply                                                    greeting  EHLO   STARTTLS AUTH   MAIL   RCPT   DATA   content
    (b"421 4.3.2 closing",                                      "bsy",   "bsy", "bsy",   "bsy", "bsy", "bsy", "bsy", "bsy"),
    (b"450 4.2.1 later",                                        "ref",   "ref", "ref",   "ref", "ltr", "ltr", "ltr", "ltr"),
    (b"450 4.7.1 greylisted",                                   "ref",   "ref", "ref",   "ref", "bsy", "bsy", "bsy", "bsy"),
    (b"450 4.1.8 sender domain not found",                      "ref",   "ref", "ref",   "ref", "pol", "pol", "pol", "pol"),
    (b"451 4.3.0 local error",                                  "ref",   "ref", "ref",   "ref", "ltr", "ltr", "ltr", "ltr"),
    (b"452 4.2.2 mailbox full",                                 "ref",   "ref", "ref",   "ref", "ful", "ful", "ful", "ful"),
    (b"454 4.7.0 temporary failure",                            "ref",   "ref", "ref",   "ref", "bsy", "bsy", "bsy", "bsy"),
    (b"454 4.7.1 <nat@north.example>: Relay access denied",     "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"500 5.5.2 syntax",                                       "ref",   "ref", "ref",   "ref", "ref", "ded", "ded", "ded"),
    (b"503 5.5.1 Error: authentication required",               "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"530 5.7.0 Must issue a STARTTLS command first",          "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"530 5.7.57 Client not authenticated to send mail",       "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"530 5.7.0 no",                                           "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"534 5.7.9 mechanism too weak",                           "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"535 5.7.8 authentication failed",                        "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"538 5.7.11 encryption required",                         "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"550 relay not permitted",                                "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"550 5.7.1 Unable to relay",                              "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"550 5.7.1 we do not relay",                              "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"554 5.7.1 <nat@north.example>: Relay access denied",     "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"550 5.7.64 TenantAttribution; Relay Access Denied",      "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"553 not in my list of allowed rcpthosts (#5.7.1)",       "ref",   "ref", "ref",   "ref", "ref", "ref", "ref", "ref"),
    (b"550 5.7.1 blocked by a list",                            "ref",   "ref", "ref",   "ref", "pol", "pol", "pol", "pol"),
    (b"550 5.7.26 unauthenticated mail",                        "ref",   "ref", "ref",   "ref", "pol", "pol", "pol", "pol"),
    (b"553 5.1.7 bad sender syntax",                            "ref",   "ref", "ref",   "ref", "pol", "pol", "pol", "pol"),
    (b"553 5.1.8 sender domain not found",                      "ref",   "ref", "ref",   "ref", "pol", "pol", "pol", "pol"),
    (b"550 5.1.1 user unknown",                                 "ref",   "ref", "ref",   "ref", "ref", "unk", "unk", "unk"),
    (b"550 5.1.10 recipient not found",                         "ref",   "ref", "ref",   "ref", "ref", "unk", "unk", "unk"),
    (b"550 5.2.1 mailbox disabled",                             "ref",   "ref", "ref",   "ref", "ref", "unk", "unk", "unk"),
    (b"552 5.2.2 out of storage space",                         "ref",   "ref", "ref",   "ref", "ful", "ful", "ful", "ful"),
    (b"552 mailbox is full",                                    "ref",   "ref", "ref",   "ref", "big", "ful", "ful", "ful"),
    (b"552 exceeded storage allocation",                        "ref",   "ref", "ref",   "ref", "big", "ful", "big", "big"),
    (b"552 5.3.4 message too big",                              "ref",   "ref", "ref",   "ref", "big", "big", "big", "big"),
    (b"550 5.4.1 no answer from host",                          "ref",   "ref", "ref",   "ref", "ref", "ltr", "ltr", "ltr"),
    (b"553 5.6.7 needs SMTPUTF8",                               "ref",   "ref", "ref",   "ref", "uns", "uns", "uns", "uns"),
    (b"554 5.6.0 bad content",                                  "ref",   "ref", "ref",   "ref", "ref", "ded", "ded", "ded"),
    (b"550 rejected",                                           "ref",   "ref", "ref",   "ref", "ref", "ded", "ded", "ded"),
    (b"199 no reply of SMTP",                                   "ref",   "ref", "ref",   "ref", "bsy", "bsy", "bsy", "bsy"),
]
# fmt: on
MOMENTS = {
    SmtpStage.GREETING: "CONNECT",
    SmtpStage.EHLO: "EHLO",
    SmtpStage.STARTTLS: "STARTTLS",
    SmtpStage.AUTH: "AUTH",
    SmtpStage.MAIL: "MAIL",
    SmtpStage.RCPT: "RCPT",
    SmtpStage.DATA: "DATA",
    SmtpStage.CONTENT: "END",
}
CASES = [
    pytest.param(smtp_stage, row[0], effect, id=f"{smtp_stage} {row[0].decode()}")
    for row in MATRIX
    for smtp_stage, effect in zip(SmtpStage, row[1:], strict=True)
]
PLAIN = tuple(name for name in EXTENSIONS if name != "PIPELINING")


def url_for(smtp_stage: SmtpStage, relay: ScriptedRelay) -> str:
    """The URL of a relay with a session that gets as far as this stage."""
    if smtp_stage is SmtpStage.STARTTLS:
        return relay.url.replace("smtp:", "smtp+starttls:")
    if smtp_stage is SmtpStage.AUTH:
        return relay.url.replace("smtp://", "smtp://user:password@")
    return relay.url


@pytest.mark.parametrize(("smtp_stage", "reply", "effect"), CASES)
def test_each_reply_at_each_stage_has_its_effect(
    smtp_stage: SmtpStage, reply: bytes, effect: str
) -> None:
    # A reply that is no refusal asks for the next command where they come one by one.
    extensions = (*PLAIN, "STARTTLS", "AUTH PLAIN")
    script = {MOMENTS[smtp_stage]: [reply], "HELO": [reply]}
    with ScriptedRelay(script, extensions=extensions) as relay:
        url = url_for(smtp_stage, relay)
        sending = SmtpTransport(SmtpRelay.from_url(url, 30.0, "clp.example"))
        result = sending.send(mailed(), at_once)
        sending.close()
        assert (result.effect, result.reason) == EFFECTS[effect]
        # The alarm names it.
        assert result.stage is smtp_stage
        assert relay.kept == []


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_the_table_is_total_and_costs_no_mail_before_its_transaction(
    step: int,
) -> None:
    details = (
        b"",
        *(
            b"%d.%d.%d x" % one
            for one in itertools.product((2, 4, 5), range(8), range(12))
        ),
    )
    lost = {Effect.MAIL_DEAD, Effect.ADDRESS_REFUSED, Effect.UNSENDABLE}
    for smtp_stage, code, detail in itertools.product(
        SmtpStage, range(-1, 600, step), details
    ):
        outcome = outcome_of_reply(code, detail, smtp_stage)
        assert (outcome.code, outcome.stage) == (code, smtp_stage)
        if smtp_stage in SESSION or not 500 <= code < 600:
            assert outcome.effect not in lost, (smtp_stage, code, detail)
        assert (outcome.effect is Effect.SENT) == (
            smtp_stage is SmtpStage.CONTENT and 200 <= code < 300
        )
