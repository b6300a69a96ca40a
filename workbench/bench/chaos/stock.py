"""A worker as LiveKit's guide shows it, with the stock plugin: what ours is held beside.

`python stock.py start`; its providers' addresses and its name come from the same variables as ours.
"""

import json
import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.plugins import assemblyai, openai, silero

# The guide's worker listens on every address, at a port that others may have.
server = AgentServer(host="127.0.0.1", port=0)


@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", ""))
async def answer(context: JobContext) -> None:
    """Greet, and converse."""
    session: AgentSession[None] = AgentSession(
        stt=assemblyai.STT(
            base_url=os.environ["ASSEMBLYAI_BASE_URL"], model="universal-streaming-english"
        ),
        vad=silero.VAD.load(),
        llm=openai.LLM(model="gpt-4.1-mini"),
        tts=openai.TTS(model="gpt-4o-mini-tts", response_format="pcm"),
        # Unset, these prefer models in LiveKit Cloud.
        turn_handling={"turn_detection": "stt", "interruption": {"mode": "vad"}},
    )
    await session.start(agent=Agent(instructions="You are a helpful assistant."), room=context.room)
    told = {"message": "call started", "room": context.room.name, "pid": os.getpid()}
    print(json.dumps(told), flush=True)
    await session.say(os.environ["AGENT_GREETING"])


if __name__ == "__main__":
    cli.run_app(server)
