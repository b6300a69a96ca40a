"""`python workbench/bench/capacity/stock.py start`: the stock worker, a process for each call.

The session is the one of the latency's measurement; the greeting is said, as ours is.
"""

import os

from livekit.agents import Agent, AgentServer, JobContext, cli

from workbench.bench.latency.stock import INSTRUCTIONS, stock_session

# The default load is the machine's, on which the callers run as well: the server would pass this
# worker over. And it listens on every address, at a port that others may have.
server = AgentServer(load_fnc=lambda: 0.0, host="127.0.0.1", port=0)


@server.rtc_session()
async def converse(job: JobContext) -> None:
    """The guide's entrypoint."""
    session = stock_session(
        stt_url=os.environ["ASSEMBLYAI_BASE_URL"],
        stt_key=os.environ["ASSEMBLYAI_API_KEY"],
        llm_url=os.environ["OPENAI_BASE_URL"],
        llm_key=os.environ["OPENAI_API_KEY"],
        tuned=False,
    )
    await session.start(Agent(instructions=INSTRUCTIONS), room=job.room)
    await session.say(os.environ["AGENT_GREETING"])


if __name__ == "__main__":
    cli.run_app(server)
