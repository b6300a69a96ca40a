"""What runs inside of the processes that are counted."""
