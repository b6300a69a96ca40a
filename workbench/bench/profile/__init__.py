"""Where a call's CPU goes: by thread, by function, by what wakes its loop, and at the start."""
