"""Processes that hold several calls each, on one event loop; a call's seat is its place in one."""
