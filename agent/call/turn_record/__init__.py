"""Collects what happens in a call, turn by turn, for record, log, metrics and traces."""
