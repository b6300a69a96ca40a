"""Everything that lives for one call, in the process of that call."""
