"""The help page's story, played through real RPC, events and HTTP (``make demo``)."""
