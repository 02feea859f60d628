"""Typed callers: the services' methods with their arguments and replies.

Give `connect` the broker's address and a passport, then call::

    clp = connect("amqp://guest:guest@127.0.0.1:5672//", passport)
    posted = clp.messages.post(channel="p1/broadcast", text="Hello", key="k1")
"""

from clp_contracts.client.clients import Callers, connect
from clp_contracts.client.rpc_client import Calls, Passport

__all__ = ["Callers", "Calls", "Passport", "connect"]
