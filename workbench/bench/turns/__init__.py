"""How often a caller is cut off, and how long he waits, at each preset."""
