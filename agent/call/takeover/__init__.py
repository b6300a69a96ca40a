"""A live call goes from one of our agents to another one; its caller hears nothing of it."""
