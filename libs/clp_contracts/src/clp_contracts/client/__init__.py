"""Typed clients of the services.

Give `connect` the address of the broker and a passport::

    clp = connect("amqp://guest:guest@127.0.0.1:5672//", passport)
    posted = clp.messages.post(channel="p1/broadcast", text="Hello", key="k1")
"""

from clp_contracts.client.clients import Clients, connect
from clp_contracts.client.rpc_client import Passport, RpcClient

__all__ = ["Clients", "Passport", "RpcClient", "connect"]
