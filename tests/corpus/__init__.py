"""Real files of published test sets and real tools, to judge attachments by."""
