"""When the caller's turn is over, and what the agent does while it lasts."""
