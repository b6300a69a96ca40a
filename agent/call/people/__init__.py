"""Who is in the room: whom the agent serves, whom it obeys, and whether the room needs an agent."""
