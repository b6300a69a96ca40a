"""`settings`: what the worker would run with, and where each value comes from."""

from pydantic import Secret, SecretStr

from agent.cli.faults import loaded_settings


def settings() -> None:
    """Show every setting with its value and where it was set; secrets are masked."""
    from config.load import origins
    from config.reference import variables

    loaded = loaded_settings()
    where = origins()
    sent = loaded.session_options.effective()
    print(f"{'setting':<50} {'value':<40} from")
    for variable in variables():
        value = getattr(getattr(loaded, variable.section), variable.field)
        if value is None and variable.section == "assemblyai":
            value = sent.get(variable.field)
        print(f"{variable.name:<50} {shown(value):<40} {where.get(variable.name, 'default')}")


def shown(value: object) -> str:
    """A value as a person may see it."""
    if isinstance(value, Secret | SecretStr):
        return "********"
    return "" if value is None else str(value)
