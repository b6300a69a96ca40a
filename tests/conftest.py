"""What holds for all tests."""

import asyncio

# The virtual clock's plugin asks every test for its event loop, those without one as well, and so
# would make loops that nobody closes. Once a loop was set, even to none, asking makes no new one.
asyncio.set_event_loop(None)
