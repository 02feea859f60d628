"""Live updates of open pages (rule 49): one event stream for each browser."""
