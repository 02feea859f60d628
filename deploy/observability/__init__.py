"""What to look at, and when to wake somebody: a dashboard and alert rules."""
