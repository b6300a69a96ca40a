"""Whether a caller's turn is over, judged by its sound: a second opinion to AssemblyAI's."""
