"""A page for the browser in which to talk to the agent, and the tokens for it."""
