"""How soon the caller hears an answer: ours and stock, side by side, in one run."""
