"""What the caller says while the agent speaks: what it means, and when the agent yields."""
