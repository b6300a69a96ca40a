"""`python -m workbench.loopback`: both stand-ins in one process, until it is told to stop."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from contextlib import AsyncExitStack

from workbench.engines.weights import EngineUnavailableError
from workbench.loopback.assemblyai_v3 import server as assemblyai
from workbench.loopback.assemblyai_v3.knobs import Knobs
from workbench.loopback.control import Control
from workbench.loopback.engines import load_ears, load_voice
from workbench.loopback.openai_v1 import server as openai
from workbench.loopback.openai_v1.faults import Pace


def main() -> int:
    """The exit status."""
    options = _options()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(options))
    except (EngineUnavailableError, OSError) as problem:
        print(f"loopback: {problem}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workbench.loopback", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="AssemblyAI's port; 0 is a free one")
    parser.add_argument("--openai-port", type=int, default=0)
    parser.add_argument("--mode", choices=("heard", "scripted"), default="heard")
    parser.add_argument("--assemblyai-key", default=assemblyai.LOCAL_KEY)
    parser.add_argument("--openai-key", default=openai.LOCAL_KEY)
    parser.add_argument("--begin-delay-ms", type=int, default=20, help="live about 1200")
    parser.add_argument("--twin-delay-ms", type=int, default=150, help="-1: it never comes")
    parser.add_argument("--new-sessions-per-minute", type=int, help="a free account has 5")
    parser.add_argument("--first-token-ms", type=int, default=0)
    parser.add_argument("--token-ms", type=int, default=0)
    parser.add_argument("--first-sound-ms", type=int, default=0)
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    heard = options.mode == "heard"
    knobs = Knobs(
        begin_delay_ms=options.begin_delay_ms,
        format_twin_delay_ms=None if options.twin_delay_ms < 0 else options.twin_delay_ms,
        new_sessions_per_minute=options.new_sessions_per_minute,
    )
    async with AsyncExitStack() as stack:
        listening = assemblyai.AssemblyAIStandIn(
            ears=load_ears() if heard else None,
            knobs=knobs,
            api_key=options.assemblyai_key,
            host=options.host,
            port=options.port,
        )
        answering = openai.OpenAIStandIn(
            voice=load_voice() if heard else None,
            pace=Pace(options.first_token_ms, options.token_ms, options.first_sound_ms),
            api_key=options.openai_key,
            host=options.host,
            port=options.openai_port,
        )
        await stack.enter_async_context(listening)
        await stack.enter_async_context(answering)
        control = await stack.enter_async_context(Control(listening, answering, options.host))
        addresses = {
            "assemblyai_base_url": listening.url,
            "openai_base_url": answering.url,
            "control_url": control.url,
            "assemblyai_api_key": options.assemblyai_key,
            "openai_api_key": options.openai_key,
        }
        print(json.dumps(addresses), flush=True)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
