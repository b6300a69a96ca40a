"""`make api-calls`: calls of LiveKit's API a second, of 20 workers and 2,000 rooms, by method.

The server is a real one. A worker is what looks after callers in a real one; it has calls, but no
processes. Eighty rooms have participants without sound, and each second one more comes and goes.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from livekit import api

from agent.worker.webhook_page import PATH
from workbench.arguments import command, positive
from workbench.bench.api_calls.counting import Counted, figures, measure, table
from workbench.bench.api_calls.fleets import WAYS, Hooks, Scene, settings_for
from workbench.bench.api_calls.people import READY
from workbench.bench.api_calls.world import room_name
from workbench.bench.figures import add_json_option, write
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import LiveKitServer, free_port, fresh_doors, livekit_server
from workbench.local.processes import Command, Process
from workbench.local.redis_server import redis_server
from workbench.local.running import CACHE, PROJECT

_JOINED_SECONDS = 120.0
_AT_ONCE = 50


async def make_rooms(server: LiveKitServer, rooms: int) -> None:
    """Make so many rooms, which stay though nobody is in them."""
    access, gate = server.access, asyncio.Semaphore(_AT_ONCE)
    async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:

        async def make(number: int) -> None:
            request = api.CreateRoomRequest(name=room_name(number), empty_timeout=3600)
            async with gate:
                await client.room.create_room(request)

        await asyncio.gather(*map(make, range(rooms)))


def _people(server: LiveKitServer, rooms: int, logs: Path) -> Process:
    access = server.access
    argv = [sys.executable, "-m", "workbench.bench.api_calls.people", "--rooms", str(rooms)]
    keys = {"URL": access.url, "API_KEY": access.api_key, "API_SECRET": access.api_secret}
    environment = dict(os.environ) | {f"LIVEKIT_{name}": each for name, each in keys.items()}
    return Process(Command("people", argv, logs / "people.log", environment, PROJECT))


async def run(scene: Scene, ways: Sequence[str], logs: Path) -> list[Counted]:
    """Measure each way in turn, all with the same rooms."""
    hooks, port = Hooks(), free_port()
    doors = fresh_doors(f"http://127.0.0.1:{port}{PATH}")
    program = await find_or_build(CACHE, print)
    async with (
        livekit_server(program, logs / "livekit.log", doors=doors) as server,
        redis_server(logs / "redis") as redis,
        hooks.listening(port, settings_for(server, None).livekit),
    ):
        scene = replace(scene, redis_url=redis.url)
        await make_rooms(server, scene.rooms)
        async with _people(server, scene.rooms, logs) as people:
            await people.wait_for_line(
                lambda line: line.startswith(READY), timeout_seconds=_JOINED_SECONDS
            )
            return [await measure(name, scene, server, hooks) for name in ways]


def main() -> int:
    """The exit status."""
    parser = command("make api-calls", __doc__)
    parser.add_argument("--workers", type=positive, default=20, help="how many look after callers")
    parser.add_argument("--rooms", type=positive, default=2000, help="how many rooms there are")
    parser.add_argument("--seconds", type=positive, default=25, help="to count, of each way")
    parser.add_argument("--warm-up", type=positive, default=12, help="seconds before, each time")
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS), help="which")
    add_json_option(parser)
    options = parser.parse_args()
    logs = Path(tempfile.mkdtemp(prefix="api-calls-"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; logs in {logs}", flush=True)
    scene = Scene(options.workers, options.rooms, options.seconds, options.warm_up)
    found = asyncio.run(run(scene, options.ways, logs))
    print(table(found))
    write(options.json, figures(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
