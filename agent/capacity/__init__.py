"""How many calls a machine can hold: what is set, and what can be measured without LiveKit."""
