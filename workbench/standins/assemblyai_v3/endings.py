"""How likely a transcript is at its end: what a listener would think of its last word."""

CONTINUATIONS = frozenset(
    """a about an and are as at because between but by can could did do does for from had has have
    i if in into is like my of on or our so than that their then these this those to um uh was
    we were what when where which while who will with would your you're i'm it's plus minus times
    divided not very per want need think tell give make get take""".split()  # noqa: SIM905  read as a sentence
)
NEVER_LAST = frozenset(
    ["a", "an", "and", "my", "our", "or", "plus", "minus", "the", "times", "your"]
)
"""No question ends with these either."""
FINISHED, SHORT, UNFINISHED, BROKEN_OFF = 0.85, 0.6, 0.25, 0.1
SHORT_ANSWER_WORDS = 3
PATIENCE_GAIN = 0.1
"""A pause of a second makes an end so much likelier; never an end of what has none."""


def end_of_turn_confidence(text: str, silence_ms: int) -> float:
    """0 to 1, by the transcript's own punctuation, its last word, and the pause after it."""
    gain = PATIENCE_GAIN * min(1.0, silence_ms / 1000)
    return round(_completeness(text) + gain, 3) if text else 0.0


def _completeness(text: str) -> float:
    words = text.split()
    text = text.rstrip("\"'\u201d\u2019")
    if text.endswith((",", "-", "\u2014", "...", "\u2026", ":")):
        return BROKEN_OFF
    last = words[-1].lower().strip(".?!,\"'")
    is_exclaimed = text.endswith(("?", "!"))
    if last in NEVER_LAST or (last in CONTINUATIONS and not is_exclaimed):
        # A recognizer likes to end any text with a full stop: "and." is no end all the same.
        return BROKEN_OFF
    if text.endswith((".", "?", "!")):
        return FINISHED
    return SHORT if len(words) <= SHORT_ANSWER_WORDS else UNFINISHED
