"""What a caller says, and how well it was understood."""
