"""Scale: what a fleet needs for many calls, and how fast it may grow, on paper and simulated."""
