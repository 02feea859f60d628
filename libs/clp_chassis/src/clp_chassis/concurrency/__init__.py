"""How green threads share a process: fairness, limits, timers, periodic tasks."""
