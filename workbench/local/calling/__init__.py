"""A caller: what it says and hears, and on which clock."""
