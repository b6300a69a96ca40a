"""The page of a call as one file of HTML. It loads nothing, and runs no script but its own."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agent.records.read import RecordedCall
from agent.viewer.data import page_data

FOLDER = Path(__file__).parent
_HOSTILE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def page(
    call: RecordedCall, sounds: Sequence[dict[str, Any]] = (), kept: Sequence[bytes] = ()
) -> str:
    """The page. `sounds` are what `agent.viewer.sound` tells of each file of sound, and `kept` the
    files that go inside: all of them, or none."""
    template, style, script = (_part(f"page.{kind}") for kind in ("html", "css", "js"))
    data = as_script({**page_data(call), "sounds": list(sounds)})
    for number, each in enumerate(kept):
        inside = base64.b64encode(each).decode()
        data += f'</script>\n  <script type="text/plain" id="kept-{number}">{inside}'
    values = {"policy": _policy(style, script), "style": style, "script": script, "data": data}
    # At once: nothing that was put in is looked through for more places.
    return re.sub(r"\{(policy|style|script|data)\}", lambda found: values[found[1]], template)


def as_script(value: Any) -> str:
    """A value as JSON that may stand in a script element, whatever people said in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _HOSTILE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@cache
def _part(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """What the page may do: its own style and script, and sound from itself or from beside it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_sum(style)}'",
            f"script-src '{_sum(script)}'",
            "media-src blob: file: 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sum(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
