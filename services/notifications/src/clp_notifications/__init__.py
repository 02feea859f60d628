"""Notifications: decides who is told of a message, and delivers the mails."""
