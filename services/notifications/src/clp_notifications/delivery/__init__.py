"""Delivery: claims due mails, asks again at the door, mails, records."""
