"""Run all process types on one host and supervise them (``make up``)."""
