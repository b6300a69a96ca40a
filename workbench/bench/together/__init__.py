"""Every benchmark in one run, one table, and how the figures move over time."""
