"""What several workers share, through Redis where there is one; docs/fleet.md has it key by key."""
