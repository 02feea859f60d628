"""The use cases of the routing process: who is notified, and why."""
