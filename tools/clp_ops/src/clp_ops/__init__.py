"""`clp-ops`: the operators' command: health, dead letters, redrive, index rebuild."""
