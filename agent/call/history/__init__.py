"""What was said: marks on utterances, texts that are formatted late, and the record."""
