"""``python -m tests.faults.naive_control posts|mails``: a naive control of the experiment.

A post is committed, then its event is dispatched; the handler of the event mails. No
outbox, no idempotency key, no row for a notification. It runs beside the real system
under the same faults and must lose something, or the faults prove nothing.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import os
import smtplib
import sys
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

import psycopg
from nameko.events import EventDispatcher, event_handler  # noqa: TID251 - as shipped
from nameko.rpc import Responder, Rpc, RpcConsumer
from nameko.runners import ServiceRunner

from clp_chassis.clock import new_id
from clp_contracts.exchanges import REPLIES, shared_exchange

PEOPLE = ("nana", "nano", "nani")
TABLE = "create table if not exists naive (word text not null)"


class ReplyingConsumer(RpcConsumer):
    """As shipped, but for the exchange on which the clients wait for replies."""

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> Any:
        responder = Responder(
            self.container.config["AMQP_URI"], shared_exchange(REPLIES), "json", message
        )
        reply = responder.send_response(result, exc_info)
        self.queue_consumer.ack_message(message)
        return reply


class ReplyingRpc(Rpc):
    """As shipped, with the consumer above."""

    rpc_consumer = ReplyingConsumer()


rpc = ReplyingRpc.decorator


class NaivePosts:
    name = "naive_posts"
    dispatch = EventDispatcher()

    @rpc
    def post(self, *, word: str) -> bool:
        with psycopg.connect(os.environ["NAIVE_DATABASE"]) as database:
            database.execute("insert into naive values (%s)", (word,))
        self.dispatch("posted", {"word": word})
        return True


class NaiveMails:
    name = "naive_mails"

    @event_handler("naive_posts", "posted")
    def mail(self, event: Mapping[str, str]) -> None:
        with smtplib.SMTP("127.0.0.1", int(os.environ["NAIVE_RELAY"])) as relay:
            for person in PEOPLE:
                mail = EmailMessage()
                mail["Message-ID"] = f"<{new_id()}@naive.example>"
                mail["To"] = f"{person}@naive.example"
                mail.set_content(event["word"])
                relay.send_message(mail, "naive@naive.example")


def main() -> None:
    with psycopg.connect(os.environ["NAIVE_DATABASE"]) as database:
        database.execute("select pg_advisory_xact_lock(1)")
        database.execute(TABLE)
    runner = ServiceRunner({"AMQP_URI": os.environ["CLP_BROKER_URL"]})
    runner.add_service({"posts": NaivePosts, "mails": NaiveMails}[sys.argv[1]])
    runner.start()
    runner.wait()


if __name__ == "__main__":
    main()
