"""Hostile messages for the speech module, at random: its parts alone, and the whole stream."""
