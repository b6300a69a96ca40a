"""What `python agent.py doctor` looks at: probes bring values back, and judges make checks."""
