"""The people in a room: the caller, operators, our own agents, and what each of them may do."""
