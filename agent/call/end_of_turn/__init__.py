"""Whether a caller's turn is over, by its sound: a second opinion beside AssemblyAI's."""
