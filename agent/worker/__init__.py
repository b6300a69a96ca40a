"""What lives as long as the worker process."""
