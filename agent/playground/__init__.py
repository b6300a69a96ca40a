"""A page for the browser in which to talk to the agent, and tokens for whoever calls it."""
