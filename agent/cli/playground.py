"""`playground`: talk to the agent in a browser on this machine."""

import asyncio
import signal
from functools import partial
from typing import Annotated

import typer

from agent.cli.calls import records_folder
from agent.cli.faults import give_up
from agent.cli.token import the_project
from config.project import Project

DEFAULT_PORT = 8790


def playground(
    *,
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0 takes any free one.", min=0, max=65535)
    ] = DEFAULT_PORT,
    listen: Annotated[
        str, typer.Option(help="0.0.0.0 in a container, with a port published to 127.0.0.1 only.")
    ] = "127.0.0.1",
) -> None:
    """Serve a page in which to talk to the agent of your LiveKit project. Ctrl-C ends it.

    It needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and AGENT_NAME if the agent has a
    name. Only this machine can open it.
    """
    project = the_project()
    try:
        asyncio.run(_serve(project, port, listen))
    except OSError as error:
        give_up(
            f"The page cannot listen on port {port} of {listen} ({error.strerror}): choose another"
            " with --port."
        )


async def _serve(project: Project, port: int, listen: str) -> None:
    from agent.playground.server import playground as served
    from agent.viewer.served import page_of_room

    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    records = partial(page_of_room, records_folder())
    async with served(project, port=port, listen=listen, records=records) as address:
        named = f"the agent {project.agent_name!r}" if project.agent_name else "the agent"
        print(f"Open {address} to talk to {named} of {project.livekit.url}. Ctrl-C ends it.")
        await over.wait()
