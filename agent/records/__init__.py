"""What outlives a call: its record, how to read it, where it is kept."""
