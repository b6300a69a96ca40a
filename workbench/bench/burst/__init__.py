"""Callers who come in a burst: how each is served, and whose the waiting is."""
