"""Sessions with the service, recorded in both directions and played again without it."""
