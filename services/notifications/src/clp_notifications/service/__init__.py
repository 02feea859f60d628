"""The two process types of `notifications`: routing decides, delivery mails."""

from clp_notifications.service.delivery_process import DeliveryService
from clp_notifications.service.delivery_process import build as build_delivery
from clp_notifications.service.delivery_process import reach as reach_relay
from clp_notifications.service.routing_process import NotificationsService, build, reach

__all__ = [
    "DeliveryService",
    "NotificationsService",
    "build",
    "build_delivery",
    "reach",
    "reach_relay",
]
