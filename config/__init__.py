"""What an operator may set: the only place that reads the environment."""
