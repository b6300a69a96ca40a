"""`python workbench/bench/latency/stock.py dev`: a worker with the stock plugin, as in its guide.

Addresses and keys come from the environment, as the guide's do.
"""

import os

import aiohttp
from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    TurnHandlingOptions,
    cli,
)
from livekit.plugins import assemblyai, openai, silero

__all__ = ["INSTRUCTIONS", "stock_session"]

INSTRUCTIONS = "You are Alex, a friendly voice assistant on a telephone line. Keep answers short."

# LiveKit's cloud detector of interruptions, which an unset mode prefers, cannot be had here.
_GUIDE: TurnHandlingOptions = {"turn_detection": "stt", "interruption": {"mode": "vad"}}
_TUNED: TurnHandlingOptions = {
    **_GUIDE,
    "endpointing": {"min_delay": 0.0},
    "preemptive_generation": {"enabled": True, "preemptive_tts": True},
}

# The default load is the machine's, on which the callers and their providers run as well: the
# server would pass this worker over.
server = AgentServer(load_fnc=lambda: 0.0)
if "READY_PROCESSES" in os.environ:  # otherwise as many as there are cores
    server.update_options(num_idle_processes=int(os.environ["READY_PROCESSES"]))


def stock_session(
    *,
    stt_url: str,
    stt_key: str,
    llm_url: str,
    llm_key: str,
    tuned: bool,
    http: aiohttp.ClientSession | None = None,
) -> AgentSession[None]:
    """The guide's session, with our thresholds and raw sound; `tuned`: without LiveKit's delays."""
    return AgentSession(
        stt=assemblyai.STT(
            api_key=stt_key,
            base_url=stt_url,
            model="universal-streaming-english",
            format_turns=True,
            end_of_turn_confidence_threshold=0.7,
            min_turn_silence=160,
            max_turn_silence=2400,
            http_session=http,
        ),
        vad=silero.VAD.load(),
        llm=openai.LLM(model="gpt-4.1-mini", api_key=llm_key, base_url=llm_url),
        tts=openai.TTS(
            model="gpt-4o-mini-tts", api_key=llm_key, base_url=llm_url, response_format="pcm"
        ),
        turn_handling=_TUNED if tuned else _GUIDE,
    )


@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", ""))
async def converse(job: JobContext) -> None:
    """The guide's entrypoint."""
    session = stock_session(
        stt_url=os.environ["ASSEMBLYAI_BASE_URL"],
        stt_key=os.environ["ASSEMBLYAI_API_KEY"],
        llm_url=os.environ["OPENAI_BASE_URL"],
        llm_key=os.environ["OPENAI_API_KEY"],
        tuned="TUNED" in os.environ,
    )
    instructions = os.environ.get("INSTRUCTIONS", INSTRUCTIONS)
    await session.start(Agent(instructions=instructions), room=job.room)
    await session.generate_reply(instructions="Greet the user and offer your assistance.")


if __name__ == "__main__":
    cli.run_app(server)
