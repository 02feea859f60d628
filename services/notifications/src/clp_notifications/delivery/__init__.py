"""Deliver due mails: claim, recheck, compose, send, record."""
