"""One real call as every outlet shows it, and what all of them cost."""
