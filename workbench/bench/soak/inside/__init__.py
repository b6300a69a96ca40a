"""What runs inside of the worker that is watched."""
