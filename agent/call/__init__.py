"""What lives as long as one call, in a process of its own."""
