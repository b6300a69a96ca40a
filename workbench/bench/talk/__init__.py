"""Whose turn it is: how an agent takes turns, yields, and ignores what is not meant for it."""
