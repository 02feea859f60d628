"""Metrics of the portal, by codes and never by people."""

from typing import Final

from prometheus_client import Counter

FRAMES: Final = Counter(
    "clp_portal_frames", "Frames of event streams, by their event.", ["event"]
)
SIGN_INS: Final = Counter(
    "clp_portal_sign_ins", "Sign-ins, by how they ended.", ["outcome"]
)
