"""`python -m workbench.standins`: both stand-ins in one process, until it is told to stop.

When all is ready, one line of JSON on standard output tells the addresses and keys; everything
else goes to standard error. SIGTERM and SIGINT end it at once, also while it is still loading.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import FrameType

from workbench.arguments import command
from workbench.standins.assemblyai_v3 import server as assemblyai
from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.control import Control
from workbench.standins.engines.weights import EngineUnavailableError
from workbench.standins.openai_v1 import server as openai
from workbench.standins.openai_v1 import speech
from workbench.standins.openai_v1.faults import Pace


@dataclass(frozen=True, slots=True)
class _Loaded:
    """None of them in scripted mode."""

    hearing: Callable[[], Engines] | None = None
    voice: speech.Voice = speech.tone


def main() -> int:
    """The exit status."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    try:
        loaded = _Loaded()
        if options.mode == "heard":
            print("stand-ins: loading the speech engines", file=sys.stderr, flush=True)
            from workbench.standins.loading import load_engines, load_voice

            loaded = _Loaded(load_engines(), load_voice(options.longest_pause_ms))
        asyncio.run(_serve(options, loaded))
    except (EngineUnavailableError, OSError) as problem:
        print(f"stand-ins: {problem}", file=sys.stderr)
        return 1
    return 0


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _options() -> argparse.Namespace:
    parser = command("workbench.standins", "Local stand-ins for AssemblyAI and OpenAI.")
    knobs, pace = Knobs(), Pace()
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="AssemblyAI's; 0 is any free one")
    parser.add_argument("--openai-port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--control-port", type=int, default=0, help="0 is any free one")
    parser.add_argument(
        "--mode",
        choices=("heard", "scripted"),
        default="heard",
        help="what is transcribed: the audio, or scripts given to the control address",
    )
    parser.add_argument("--assemblyai-key", default=assemblyai.LOCAL_KEY, help="accepted key")
    parser.add_argument("--openai-key", default=openai.LOCAL_KEY, help="accepted key")
    parser.add_argument(
        "--begin-delay-ms", type=int, default=knobs.begin_delay_ms, help="live 1200"
    )
    parser.add_argument(
        "--twin-delay-ms", type=int, default=knobs.format_twin_delay_ms, help="-1: it never comes"
    )
    parser.add_argument(
        "--termination-delay-ms", type=int, default=knobs.termination_delay_ms, help="live 600"
    )
    parser.add_argument(
        "--new-sessions-per-minute", type=int, help="a free account has 5; none: no limit"
    )
    parser.add_argument("--first-token-ms", type=int, default=pace.first_token_ms, help="chat")
    parser.add_argument("--token-ms", type=int, default=pace.token_ms, help="chat")
    parser.add_argument("--first-sound-ms", type=int, default=pace.first_sound_ms, help="speech")
    parser.add_argument(
        "--longest-pause-ms", type=int, help="of the voice within a sentence; none: as it speaks"
    )
    return parser.parse_args()


async def _serve(options: argparse.Namespace, loaded: _Loaded) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    knobs = Knobs(
        begin_delay_ms=options.begin_delay_ms,
        format_twin_delay_ms=None if options.twin_delay_ms < 0 else options.twin_delay_ms,
        termination_delay_ms=options.termination_delay_ms,
        new_sessions_per_minute=options.new_sessions_per_minute,
    )
    listening = assemblyai.AssemblyAIStandIn(
        engines=loaded.hearing,
        knobs=knobs,
        api_key=options.assemblyai_key,
        host=options.host,
        port=options.port,
    )
    answering = openai.OpenAIStandIn(
        voice=loaded.voice,
        pace=Pace(options.first_token_ms, options.token_ms, options.first_sound_ms),
        api_key=options.openai_key,
        host=options.host,
        port=options.openai_port,
    )
    control = Control(listening, answering, host=options.host, port=options.control_port)
    async with AsyncExitStack() as stack:
        for server in (listening, answering, control):
            await stack.enter_async_context(server)
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
