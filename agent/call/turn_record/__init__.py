"""What happened in a call, turn by turn: collected once, told to whoever wants to know."""
