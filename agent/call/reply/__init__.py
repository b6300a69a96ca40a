"""A reply on its way from the model to the voice, and what is said if it is late or fails."""
