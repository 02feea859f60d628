"""Mails that come in: where they are read from, what they are, what each one does."""
