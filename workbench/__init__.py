"""Tools of the trade for building and testing the agent; nothing that ships imports them."""
