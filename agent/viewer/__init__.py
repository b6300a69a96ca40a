"""One page a call, which opens from the disk: where each turn's time went, and what was odd."""
