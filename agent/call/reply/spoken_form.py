"""Turns a text into what is spoken: without markup, addresses and pictures, in pieces of any size.

Models write Markdown even if told not to. LiveKit's own filters hold a text back until a mark finds
its pair, perhaps for ever, and remove joiners from letters. This one goes word by word.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator

LONGEST_HELD = 300
"""Characters held back at most: a link, or a word that may be an address."""

# Scripts without blanks between words, where a word may end after any letter: Thai, Lao, Burmese,
# Khmer, Chinese and Japanese, with their marks.
_UNSPACED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf"\n|[^\S\n]+|[{_UNSPACED}]+|[^\s{_UNSPACED}]+")
_TARGET = r"\((?:[^()\n]++|\([^()\n]*+\))*+"  # of a link, with (brackets) in it
_WORD = re.compile(rf"[^\s{_UNSPACED}]+$")
_LINK_BEGUN = re.compile(rf"\[[^\[\]\n]*+(?:\](?:{_TARGET}(?:\([^()\n]*+)?)?)?$")

# What no voice can say and some services refuse: control characters, lone surrogates and
# characters for private use.
_UNSAYABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufff0-\uffff\U000f0000-\U0010ffff]"
)
_PICTURES = re.compile(
    "(?:[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001fbff]"
    "[\u200d\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f]*)+|[\u20e3\ufe0e\ufe0f]"
)
_LINK = re.compile(rf"!?\[([^\[\]\n]*+)\]{_TARGET}\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s()<>\"'|]+", re.IGNORECASE)
_HOST = re.compile(r"(?:https?://)?(?:[^\s/?#@]*@)?(?:www\.)?([^\s/?#:]+)", re.IGNORECASE)
_AFTER_ADDRESS = ".,;:!?*_~`"
# Markdown's escapes, `code`, struck words and <br>.
_MARKUP = re.compile(r"\\(?=[!-/:-@\[-`{-~])|`+|~~\S+?~~|~~+|</?[a-z][a-z0-9]*/?>", re.IGNORECASE)
_EMPHASIS = re.compile(r"(?<![*_])[*_]+(?![*_])")
_LINE_MARK = re.compile(r"#{1,6}|[-*+•◦▪‣]|>+")
_RULE = re.compile(r"[-*_=~#|:+>]{3,}|\|")
_FENCE = re.compile(r"```|~~~")
# A fenced block of this kind holds text that is meant to be read.
_PROSE = ("", "text", "txt", "plain", "plaintext", "markdown", "md")
_MARKS_KEPT = 50


def is_speakable(text: str) -> bool:
    """Whether a text has something that a voice can say: a letter or a digit."""
    return any(map(str.isalnum, text))


def spoken_form(text: str) -> str:
    """The spoken form of a whole text."""
    form = SpokenForm()
    return form.push(text) + form.flush()


async def in_spoken_form(text: AsyncIterable[str]) -> AsyncIterator[str]:
    """The same for a text as it comes: one of LiveKit's text transforms."""
    form = SpokenForm()
    async for piece in text:
        if said := form.push(piece):
            yield said
    if said := form.flush():
        yield said


class SpokenForm:
    """The spoken form of one text that arrives in bits.

    It leaves out emphasis, headings, list marks, rules, emoji and code. A link becomes its words,
    an address the name of its site, and a row of a table its cells with commas between. A text
    without a letter or digit has no spoken form.
    """

    def __init__(self) -> None:
        self._held = ""
        self._marks = ""  # the characters before the first letter
        self._has_begun = False
        self._gap = "\n"  # the blank after the last word
        self._begins_line = True
        self._in_code = False
        self._in_address = False
        self._row: _Row | None = None

    def push(self, text: str) -> str:
        """Add text. Returns what can be spoken now."""
        text = _UNSAYABLE.sub("", text)
        parts = (text[start : start + LONGEST_HELD] for start in range(0, len(text), LONGEST_HELD))
        return "".join(map(self._push, parts))

    def flush(self) -> str:
        """The text has ended. Returns the rest."""
        rest = self._say(self._held) + self._end_row()
        self.__init__()  # type: ignore[misc]
        return rest

    def _push(self, text: str) -> str:
        self._held += text
        end = _finished(self._held)
        if len(self._held) - end <= LONGEST_HELD:
            ready, self._held = self._held[:end], self._held[end:]
            return self._say(ready)
        ready, self._held = self._held, ""
        said = self._say(ready)
        self._in_address = self._in_address or bool(_ADDRESS.match(ready, end))
        return said

    def _say(self, ready: str) -> str:
        said = "".join(map(self._token, _TOKEN.findall(_LINK.sub(r"\1", ready))))
        if self._has_begun:
            return said
        self._has_begun = is_speakable(said)
        self._marks += said
        if self._has_begun:
            return self._marks
        self._marks = self._marks[-_MARKS_KEPT:]
        return ""

    def _token(self, token: str) -> str:
        if token.isspace():
            self._in_address = False
            return self._end_line() if token == "\n" else self._blank()
        begins_line, self._begins_line = self._begins_line, False
        if self._in_address or self._is_code(token, begins_line):
            return ""
        if begins_line:
            if _LINE_MARK.fullmatch(token):
                self._begins_line = True
                return ""
            if token.startswith("|"):
                self._row = _Row()
        if self._row:
            return self._row.add(token)
        word = _plain(token)
        if not word or (word == "*" and self._gap != " "):
            return ""
        self._gap = ""
        return word

    def _is_code(self, token: str, begins_line: bool) -> bool:
        """Whether this token belongs to a block of code, or opens or closes one."""
        fence = _FENCE.search(token)
        if self._in_code:
            self._in_code = not fence
            return True
        if not begins_line or not fence or fence.start() or _FENCE.search(token, 3):
            return False
        self._in_code = token[3:].lower() not in _PROSE
        return True

    def _blank(self) -> str:
        if self._row:
            return self._row.blank()
        if self._gap:
            return ""
        self._gap = " "
        return " "

    def _end_line(self) -> str:
        self._begins_line = True
        said = self._end_row()
        if self._gap == "\n" and not said:
            return ""
        self._gap = "\n"
        return said + "\n"

    def _end_row(self) -> str:
        row, self._row = self._row, None
        return "." if row and row.has_words else ""


def _finished(text: str) -> int:
    """The index up to which a text can be processed: no word and no link extends over it."""
    end = _word_start(text, len(text))
    while link := _LINK_BEGUN.search(text, 0, end):
        end = _word_start(text, link.start())
    return end


def _word_start(text: str, end: int) -> int:
    word = _WORD.search(text, 0, end)
    return word.start() if word else end


class _Row:
    """A row of a table, spoken as a sentence."""

    def __init__(self) -> None:
        self.has_words = False
        self._gap = ""

    def add(self, token: str) -> str:
        """Add a word of the row, or several cells. Returns what is spoken of it."""
        said = ""
        for index, part in enumerate(token.split("|")):
            if index:
                self._gap = ", "
            word = _plain(part)
            if is_speakable(word) or (word and self.has_words and self._gap != ", "):
                said += self._gap + word if self.has_words else word
                self.has_words = True
                self._gap = ""
        return said

    def blank(self) -> str:
        """Add a blank, which is spoken before the next word."""
        self._gap = self._gap or " "
        return ""


def _plain(word: str) -> str:
    """A word without markup and pictures, and an address without most of its parts."""
    word = " ".join(_PICTURES.sub(" ", _ADDRESS.sub(_site, word)).split())
    if word == "*" or _RULE.fullmatch(word):
        return word if word == "*" else ""
    return _EMPHASIS.sub(_operator, _MARKUP.sub("", word))


def _operator(stars: re.Match[str]) -> str:
    """The stars and underscores that are not emphasis: 2*3, 2**8, snake_case."""
    text, start, end = stars.string, stars.start(), stars.end()
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    is_between = len(around) == 2 and around.isalnum()
    return stars.group() if is_between and (end - start == 1 or around.isdecimal()) else ""


def _site(address: re.Match[str]) -> str:
    kept = address.group().rstrip(_AFTER_ADDRESS)
    host = _HOST.match(kept)
    return (host[1] if host else "") + address.group()[len(kept) :]
