"""Providers that misbehave, in calls on a virtual clock: hundreds of cases in seconds."""
