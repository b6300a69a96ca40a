"""Requests to the language model and the voice: over HTTP, with patience, and to a fallback."""
