"""Requests to the LLM and the TTS over HTTP, with retries and a fallback."""
