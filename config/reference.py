"""Writes `.env.example` and docs/settings.md from the settings: `python -m config.reference`."""

import argparse
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.settings import PER_CALL, Sections
from config.values import ROOT
from stt_assemblyai.models import ALL, MULTILINGUAL, U3, US, WHISPER, shipped_with
from stt_assemblyai.options import PARAMETERS

ENV_EXAMPLE = ROOT / ".env.example"
PAGE = ROOT / "docs" / "settings.md"

_FIRST = ("url", "api_key", "api_secret", "base_url")

_ENV_HEAD = """\
# Copy this file to .env and fill in these five values.
# To try the agent without any key, leave this file alone and type `make run`.

"""

_ENV_OPTIONAL = """
# Everything below is optional and shows the default; remove the # to change a value.
"""

_PAGE_HEAD = """\
# Settings

Every setting is an environment variable or a line of `.env`; the environment wins. Write lists with
commas. A misspelt name is an error in `.env`, and a warning in the environment, which is shared.
`python agent.py settings` shows the values in force and where each was set. Settings marked
"also per call" can be [set for a single call](per-call.md). `make reference` makes this page from
`config/`.
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting, as an operator sees it."""

    name: str
    section: str
    field: str
    description: str
    required: bool
    default: str
    """As it is written in `.env`; empty if there is none."""
    example: str
    """A valid value, as it is written in `.env`."""
    values: str
    """The allowed values, in words."""
    secret: bool


def variables(sections: type[BaseModel] = Sections) -> Iterator[Variable]:
    """Every setting, in the order in which an operator needs it."""
    for section, info in sections.model_fields.items():
        assert isinstance(info.annotation, type)
        assert issubclass(info.annotation, BaseModel)
        fields = info.annotation.model_fields
        shapes = info.annotation.model_json_schema()["properties"]
        for field in sorted(fields, key=lambda name: name not in _FIRST):
            yield _variable(section, field, info.annotation, shapes[field])


def env_example() -> str:
    """The text of `.env.example`."""
    parts = [_ENV_HEAD]
    parts.extend(f"{_comment(each)}{each.name}=\n" for each in variables() if each.required)
    parts.append(_ENV_OPTIONAL)
    for heading, members in _sections():
        optional = [variable for variable in members if not variable.required]
        parts.append(f"\n# ==== {heading}\n" if optional else "")
        parts.extend(f"{_comment(each)}# {each.name}={each.default}\n" for each in optional)
    return "".join(parts)


def page() -> str:
    """The text of docs/settings.md."""
    parts = [_PAGE_HEAD]
    for heading, members in _sections():
        parts.append(f"\n## {heading}\n\n| variable | what it is | allowed | default | example |\n")
        parts.append("| --- | --- | --- | --- | --- |\n")
        for variable in members:
            default = "**required**" if variable.required else _code(variable.default)
            cells = (
                _code(variable.name),
                variable.description,
                variable.values,
                default,
                _code(variable.example),
            )
            parts.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return "".join(parts)


def _comment(variable: Variable) -> str:
    text = f"{variable.description} {variable.values}".strip()
    lines = textwrap.wrap(text, 98, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def write(project: Path) -> None:
    """Write both files into this copy of the project."""
    for path, text in ((ENV_EXAMPLE, env_example()), (PAGE, page())):
        (project / path.relative_to(ROOT)).write_text(text, encoding="utf-8")


def _sections() -> Iterator[tuple[str, list[Variable]]]:
    everything = list(variables())
    for section, info in Sections.model_fields.items():
        heading = (info.annotation.__doc__ or "").strip().partition(".")[0]
        yield heading, [variable for variable in everything if variable.section == section]


def _variable(section: str, field: str, model: type[BaseModel], shape: dict[str, Any]) -> Variable:
    info = model.model_fields[field]
    shipped = shipped_with("universal-streaming-english").get(field)
    fixed = None if info.is_required() or info.default_factory else info.default
    default = _written(shipped if fixed is None else fixed)
    return Variable(
        name=f"{section}_{field}".upper(),
        section=section,
        field=field,
        description=(info.description or "").strip(),
        required=info.is_required(),
        default=default,
        example=str(info.examples[0]) if info.examples else default or _first_allowed(shape),
        values=" ".join(filter(None, _remarks(section, field, shape, shipped))),
        secret="Secret" in str(info.annotation),
    )


def _remarks(section: str, field: str, shape: dict[str, Any], shipped: object) -> Iterator[str]:
    yield _allowed(shape)
    yield _service_default(section, field, shipped)
    if field in PER_CALL.get(section, ()):
        yield "Also per call."


def _service_default(section: str, field: str, shipped: object) -> str:
    """The service's default for a session parameter, and the models that take it."""
    if section != "assemblyai" or field not in PARAMETERS:
        return ""
    takes = PARAMETERS[field]
    unset = "" if shipped is not None or takes.default == "not set" else f"Unset: {takes.default}."
    if takes.models == ALL:
        return unset
    families = {"universal-streaming": US, "universal-3": U3, "whisper-rt": WHISPER}
    names = [name for name, models in families.items() if models <= takes.models]
    if takes.models >= MULTILINGUAL and not takes.models >= US:
        names.insert(0, *MULTILINGUAL)
    return f"{unset} Models: {', '.join(names)}.".strip()


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Path():
            return value.as_posix()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _kinds(shape: dict[str, Any]) -> list[dict[str, Any]]:
    """The kinds of value that a JSON schema allows, besides null."""
    return [kind for kind in shape.get("anyOf", [shape]) if kind.get("type") != "null"]


def _allowed(shape: dict[str, Any]) -> str:
    kind = _kinds(shape)[0]
    match kind:
        case {"known": list(values)}:
            return f"Known: {', '.join(values)}."
        case {"enum": list(values)}:
            return f"One of: {', '.join(values)}."
        case {"const": value}:
            return f"Only: {value}."
        case {"type": "boolean"}:
            return "true or false."
        case {"minimum": low, "maximum": high}:
            return f"{_number(low)} to {_number(high)}."
        case {"minimum": low}:
            return f"At least {_number(low)}."
        case _:
            return ""


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(int(value))


def _first_allowed(shape: dict[str, Any]) -> str:
    match _kinds(shape)[0]:
        case {"enum": [value, *_]} | {"const": value} | {"minimum": value}:
            return _written(value)
        case {"type": "boolean"}:
            return "true"
        case kind:
            raise ValueError(f"give this field an example: {json.dumps(kind)}")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m config.reference", description=__doc__).parse_args()
    write(ROOT)
