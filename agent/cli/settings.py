"""`settings`: what the worker would run with, and where each value comes from."""

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from agent.cli.faults import loaded_settings


def settings() -> None:
    """Show every setting with its value and where it was set; secrets are masked."""
    from config.load import origins
    from config.reference import variables

    loaded = loaded_settings()
    where = origins()
    table = Table("setting", "value", "from", box=None, header_style="bold")
    for variable in variables():
        value = getattr(getattr(loaded, variable.section), variable.field)
        table.add_row(variable.name, shown(value), where.get(variable.name, "default"))
    Console().print(table)


def shown(value: object) -> str:
    """A value as a person may see it."""
    if isinstance(value, SecretStr):
        return "********"
    return "" if value is None else str(value)
