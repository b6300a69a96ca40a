"""Soak: calls come and go, things fail, and nothing may grow."""
