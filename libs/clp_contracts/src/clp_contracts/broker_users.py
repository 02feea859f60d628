"""The names of services and clients: of their broker users, keys and variables."""

from typing import Final

SERVICES: Final = ("projects", "messages", "search", "notifications", "portal")
# Calls of people; records of people and projects; operators.
GATEWAY: Final = "gateway"
DIRECTORY: Final = "directory"
OPERATIONS: Final = "operations"
CLIENTS: Final = (GATEWAY, DIRECTORY, OPERATIONS)
# Reads the lengths of queues.
SCALING: Final = "scaling"
BROKER_USERS: Final = (*SERVICES, *CLIENTS, SCALING)
