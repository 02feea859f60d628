"""Green threads of one process: fair queue, rate limiter, timers, periodic tasks."""
