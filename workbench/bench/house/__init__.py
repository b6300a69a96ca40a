"""The figures of the house: sizes by syntax tree, and how many modules one event crosses."""
