"""The sound of a call, kept in a file: both sides as they were heard, on one clock."""
