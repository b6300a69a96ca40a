"""How likely a transcript is at its end: what a listener would think of its last word."""

CONTINUATIONS = frozenset(
    """a about an and are as at because between but by can could did do does for from had has have
    i if in into is like my of on or our so than that the their then these this those to um uh was
    we were what when where which while who will with would your you're i'm it's plus minus times
    divided not very per""".split()  # noqa: SIM905 (a list literal would be a page long)
)
FINISHED, SHORT, UNFINISHED, BROKEN_OFF = 0.9, 0.6, 0.25, 0.1
SHORT_ANSWER_WORDS = 3


def end_of_turn_confidence(text: str) -> float:
    """0 to 1, by the transcript's own punctuation and its last word."""
    words = text.split()
    if not words:
        return 0.0
    if text.endswith((",", "-", "\u2014", "...", "\u2026", ":")):
        return BROKEN_OFF
    last = words[-1].lower().strip(".?!,")
    if last in CONTINUATIONS and not text.endswith(("?", "!")):
        # A recognizer likes to end any text with a full stop: "and." is no end all the same.
        return BROKEN_OFF
    if text.endswith((".", "?", "!")):
        return FINISHED
    return SHORT if len(words) <= SHORT_ANSWER_WORDS else UNFINISHED
