"""Writes docs/records.md from the models of the lines: `python -m agent.records.records_page`."""

import ast
import inspect
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from agent.records import schema
from agent.records.schema import LINE, PERSONAL, SCHEMA, Line
from config.values import ROOT

PAGE = ROOT / "docs" / "records.md"
EXAMPLE = ROOT / "tests" / "agent" / "records" / "example.jsonl"

_HEAD = f"""\
# A call's record

With `AGENT_RECORD_DIR` each call has a file of JSON lines, named after its room's SID; `make run`
and `python agent.py dev` keep them in the folder `calls`. A line is on its way to the disk when
it happens, so that a crash loses nothing. `make reference` makes this page from the models in
`agent/records/schema.py`, which read and write each line: `LINE.validate_json(line)`.

- The first line is `call`, the last one `end`. Without `end` the agent died or the call goes on.
  Then the next agent in that room goes on from what was said, in the same file, with a `call`
  line of its own (`replaces_agent`) and a clock that begins again.
- When a worker stops and another one's agent goes on, that one writes `took_over`, on the same
  clock and with the turns counted on; the first one may still add `gave_over` and a `stt_session`.
- `said` is written as soon as words are in the history, `turn` when the reply is over: both sides
  of it, whole. A turn whose reply was interrupted is written when the next one begins, which
  tells whether the agent had cut the caller off. So `turn` lines may come out of the order of
  their `index`.
- `at` is a line's wall clock in unix seconds. A name that ends in `_ms` is in whole milliseconds
  since the call began, on a clock that nobody sets; names that end in `_for_ms` are durations.
  The voice's end is measured on the sound.
- A field that is missing did not happen or is not known. Readers skip kinds and fields that they
  do not know. This is version {SCHEMA}; it grows when a known field changes its meaning.
- Fields marked with a dagger (†) hold what people said or who they are. Log, metrics and traces
  have everything else (`without_words`).

In a terminal each turn is one line, and in a JSON log the fields of the line are in `turn`:

```
turn 3  0.84 s  ended by confidence 0.91 after 0.21 · model 0.31 (first token) · voice 0.18
```

With prices in the settings (`ASSEMBLYAI_PRICE_PER_HOUR`, `OPENAI_LLM_INPUT_PRICE` and so on)
`end` has what the call cost. A request that is cancelled reports no tokens, so preemptive replies
that were thrown away cost a little more than that.

"""

_EXAMPLE = """\
## Example

A short call with the stand-ins of `make run`.

"""

_NESTED = (
    schema.CallersPart,
    schema.Reply,
    schema.Attempt,
    schema.Interruption,
    schema.Filler,
    schema.Tool,
    schema.Word,
    schema.Usage,
    schema.Cost,
)
_NAMES = {int: "integer", float: "number", str: "text", bool: "true/false"}


def lines() -> list[type[Line]]:
    """The models of all lines, in the order in which the schema has them."""
    union = get_args(schema.AnyLine)[0]
    return [*get_args(union)]


def page(example: str) -> str:
    """The page. `example`: lines of a record, as they are written."""
    meanings = _meanings()
    parts = [_HEAD + "## Lines\n"]
    parts += [_section(f"`{_kind(each)}`", each, meanings) for each in lines()]
    parts += [_choices("Why a turn ended", "EndReason"), _choices("Whose turn it was", "Origin")]
    parts.append("## Parts of lines\n")
    parts += [_section(each.__name__, each, meanings) for each in _NESTED]
    shown = "".join(f"{line}\n" for line in example.splitlines())
    parts.append(f"{_EXAMPLE}```json\n{shown}```\n")
    return "\n".join(parts)


def _choices(title: str, name: str) -> str:
    """The values of a Literal of the schema, each with the comment behind it."""
    _, _, text = inspect.getsource(schema).partition(f"{name} = Literal[")
    found = re.findall(r'"(\w+)",  # (.+)', text.partition("]\n")[0])
    rows = [f"| `{value}` | {meaning} |" for value, meaning in found]
    return "\n".join([f"## {title}\n", "| value | meaning |", "| --- | --- |", *rows, ""])


def _kind(model: type[Line]) -> str:
    return str(model.model_fields["kind"].default)


def _meanings() -> dict[tuple[str, str], str]:
    """The docstrings of the fields, by class and name."""
    found: dict[tuple[str, str], str] = {}
    for model in ast.parse(inspect.getsource(schema)).body:
        if isinstance(model, ast.ClassDef):
            for field, told in zip(model.body, model.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(told, ast.Expr):
                    text = ast.literal_eval(told.value)
                    found[model.name, ast.unparse(field.target)] = " ".join(text.split())
    return found


def _section(title: str, model: type[Line], meanings: Mapping[tuple[str, str], str]) -> str:
    rows = [
        _row(name, field, meanings.get((model.__name__, name), ""))
        for name, field in model.model_fields.items()
        if name not in ("kind", "at")
    ]
    table = ["| field | type | meaning |", "| --- | --- | --- |", *rows] if rows else []
    told = " ".join((model.__doc__ or "").split())
    return "\n".join([f"### {title}\n", f"{told}\n", *table, ""])


def _row(name: str, field: FieldInfo, meaning: str) -> str:
    mark = " †" if name in PERSONAL else ""
    return f"| `{name}`{mark} | {_type(field.annotation)} | {meaning} |"


def _type(annotation: Any) -> str:
    """A type as readers of JSON know it. None is left out: such a field may be missing."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(each) for each in get_args(annotation) if each is not type(None))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if origin is list:
        return f"list of {_type(get_args(annotation)[0])}"
    if origin is dict:
        return "object"
    return _NAMES.get(annotation) or annotation.__name__


def read(example: str) -> Iterator[Line]:
    """The lines of a record. Raises pydantic's ValidationError."""
    return map(LINE.validate_json, example.splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(EXAMPLE.read_text("utf-8")), "utf-8")
