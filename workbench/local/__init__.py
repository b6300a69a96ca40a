"""What runs the whole system on this machine, and calls it."""
