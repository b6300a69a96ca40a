"""The command line's options: one for each field of CommandOptions, with its allowed values."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal

import typer
from pydantic import ConfigDict, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from stt_assemblyai.models import shipped_with
from stt_assemblyai.options import PARAMETERS, SessionOptions
from stt_assemblyai.service import DEFAULT_BASE_URL, FASTEST_SPEED

__all__ = ["CommandOptions", "signature"]


class CommandOptions(SessionOptions):
    """The options of the command line, beside the session's parameters."""

    model_config = ConfigDict(hide_input_in_errors=True)

    format: Literal["text", "jsonl"] = Field(
        default="text",
        description="text: a line for each sentence; jsonl: a JSON object "
        "with times and words, and one at the end with what it cost.",
    )
    speed: float = Field(
        default=1.0,
        gt=0,
        le=FASTEST_SPEED,
        description="How fast a file is sent; 1 is as it was spoken, and the service can follow "
        f"up to {FASTEST_SPEED}.",
    )
    channels: int = Field(default=1, ge=1, le=32, description="Channels of raw PCM.")
    api_key: SecretStr = Field(description="AssemblyAI's API key; better set the variable.")
    base_url: Annotated[str, Field(pattern=r"^wss?://[^/]")] = Field(
        default=DEFAULT_BASE_URL, description="Scheme and host of the streaming service."
    )

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise PydanticCustomError("key", "is empty or has a character that no key has")
        return key

    def session(self, sample_rate: int) -> SessionOptions:
        """The session's parameters alone, for sound of this rate."""
        return self.revised(sample_rate=sample_rate)


def signature() -> inspect.Signature:
    """The command's parameters: the file, and an option for each field of CommandOptions."""
    file = typer.Argument(metavar="FILE|-", show_default=False)
    shapes = CommandOptions.model_json_schema()["properties"]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    f"--{name.replace('_', '-')}",
                    help=_help(name, field, shapes[name]),
                    metavar="TEXT",
                    envvar=f"ASSEMBLYAI_{name.upper()}"
                    if name in ("api_key", "base_url")
                    else None,
                    rich_help_panel="Session" if name in SessionOptions.model_fields else None,
                ),
            ],
        )
        for name, field in sorted(
            CommandOptions.model_fields.items(),
            key=lambda item: item[0] in SessionOptions.model_fields,
        )
    ]
    given = inspect.Parameter(
        "file", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[str, file]
    )
    return inspect.Signature([given, *options])


def _help(name: str, field: FieldInfo, shape: dict[str, Any]) -> str:
    """An option's help: what it is for, the allowed values and the default."""
    parts = [field.description or "", _allowed(shape)]
    unset = shipped_with("universal-streaming-english").get(name, field.get_default())
    if unset is not None and not field.is_required():
        parts.append(f"Default: {str(unset).lower() if isinstance(unset, bool) else unset}.")
    elif name in PARAMETERS and PARAMETERS[name].default != "not set":
        parts.append(f"Unset: {PARAMETERS[name].default}.")
    return " ".join(filter(None, parts))


def _allowed(shape: dict[str, Any]) -> str:
    kinds: list[dict[str, Any]] = shape.get("anyOf", [shape])
    match kinds[0]:
        case {"known": list(values)}:
            return f"Known: {', '.join(values)}."
        case {"enum": list(values)}:
            return f"One of: {', '.join(values)}."
        case {"const": value}:
            return f"Only: {value}."
        case {"type": "boolean"}:
            return "true or false."
        case {"minimum": low, "maximum": high}:
            return f"{low:g} to {high:g}." if high < 1e6 else f"{low} to {high}."
        case {"exclusiveMinimum": low, "maximum": high}:
            return f"More than {low:g}, at most {high:g}."
        case _:
            return ""
