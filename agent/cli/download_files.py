"""`download-files`: fetch the plugins' files beforehand, so that no call has to."""

from agent.cli.faults import give_up


def download_files() -> None:
    """Fetch the model files that the plugins need. Silero's come in its package."""
    from livekit.agents import Plugin

    from agent.worker import server  # noqa: F401  importing it registers the plugins

    for plugin in Plugin.registered_plugins:
        try:
            plugin.download_files()
        except Exception as error:  # each plugin raises errors of its own
            give_up(f"The files of {plugin.package} could not be fetched: {error}")
        print(f"{plugin.package}: complete")
