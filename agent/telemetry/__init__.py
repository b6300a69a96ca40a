"""What leaves for a collector of OpenTelemetry: spans and measurements, LiveKit's and ours."""
