"""What is wrong with a setting, in one line that says what to change and holds no value."""

import difflib

from pydantic_core import ErrorDetails

from config.reference import variables


def sentence(details: ErrorDetails, *, section: str = "") -> str:
    """A fault that pydantic found, by the variable's name.

    `section` is given where one section alone was read, and not all settings.
    """
    where = (section, *details["loc"]) if section else details["loc"]
    name = "_".join(str(part) for part in where[:2]).upper()
    known = {variable.name: variable for variable in variables()}
    if details["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = f"did you mean {close[0]}?" if close else "docs/settings.md lists them all"
        return f"{name}: there is no such setting; {hint}"
    if name not in known:
        return f"{name}: {_in_words(details)}"
    return f"{name}: {_in_words(details)}; for example {name}={known[name].example}"


def _in_words(details: ErrorDetails) -> str:
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
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {limits['max_length']} characters"
        case "value_error":  # what json.loads raises
            return "must be a list like a,b,c, or JSON"
        case _:
            return details["msg"][:1].lower() + details["msg"][1:]
