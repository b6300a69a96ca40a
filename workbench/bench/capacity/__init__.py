"""How many talking calls a machine carries: `make capacity`."""
