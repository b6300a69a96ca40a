"""How many calls of LiveKit's API a fleet of workers makes to look after its callers."""
