"""Which words of a fresh transcript are new, and which of them will not change any more."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from workbench.standins.assemblyai_v3.messages import plain


def continuation(told: Sequence[str], fresh: Sequence[str]) -> int:
    """The index in `fresh` of the first word that comes after what was told already."""
    told_plain = [plain(word) for word in told]
    fresh_plain = [plain(word) for word in fresh]
    matcher = SequenceMatcher(None, told_plain, fresh_plain, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    if not blocks:
        return min(len(told), len(fresh))
    last = blocks[-1]
    untold = len(told) - (last.a + last.size)
    return min(len(fresh), last.b + last.size + untold)


def agreed(before: Sequence[str], now: Sequence[str]) -> int:
    """How many leading words two transcripts share, but for the newest word: it may grow."""
    count = 0
    for old, new in zip(before, now[:-1], strict=False):
        if plain(old) != plain(new):
            break
        count += 1
    return count
