"""Faults in settings as sentences: each says what to change and holds no value."""

import functools

from pydantic_core import ErrorDetails

from config.reference import variables


def sentence(details: ErrorDetails, *, section: str = "") -> str:
    """A fault that pydantic found, under the variable's name.

    Pass `section` if only that section was read.
    """
    where = (section, *details["loc"]) if section else details["loc"]
    name = "_".join(str(part) for part in where[:2]).upper()
    example = _examples().get(name)
    if example and details["type"] in ("value_error", "dict_type"):  # of json.loads, or its result
        is_object = example.startswith("{")
        return about(
            name, f"must be a {'JSON object' if is_object else 'list like a,b,c, or JSON'}"
        )
    return about(name, _in_words(details))


def about(name: str, wrong: str) -> str:
    """What is wrong with a variable, as a sentence that shows a right value if there is one."""
    example = _examples().get(name)
    return f"{name}: {wrong}" + (f"; for example {name}={example}" if example else "")


@functools.cache
def _examples() -> dict[str, str]:
    return {variable.name: variable.example for variable in variables()}


def _in_words(details: ErrorDetails) -> str:  # noqa: C901  a case a fault
    limits = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "is missing"
        case "greater_than_equal":
            return f"must be at least {limits['ge']}"
        case "less_than_equal":
            return f"must be at most {limits['le']}"
        case "int_parsing" | "int_from_float":
            return "must be a whole number"
        case "float_parsing":
            return "must be a number"
        case "bool_parsing":
            return "must be true or false"
        case "literal_error":
            return f"must be {limits['expected']}"
        case "too_long":
            return f"must have at most {limits['max_length']} parts"
        case "string_unicode":
            return "is not UTF-8 text"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {limits['max_length']} characters"
        case _:
            return details["msg"][:1].lower() + details["msg"][1:]
