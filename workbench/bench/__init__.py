"""What measures and tries: each command prints figures or writes a page of docs/."""
