"""The LiveKit adapter: the only part of this package that knows LiveKit."""
