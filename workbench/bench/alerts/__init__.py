"""Each alert is proved by a planted fault, with a real Prometheus server."""
