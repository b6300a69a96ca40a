"""The session: ears, mind and voice, and each LiveKit default that we choose, with its reason."""

from livekit.agents import AgentSession, TurnHandlingOptions, room_io
from livekit.agents.vad import VAD
from livekit.plugins import openai
from stt_assemblyai.stt import STT

from config.settings import Settings

# What AssemblyAI and Silero both work at. LiveKit's default, 24 kHz, would be resampled twice in
# every call.
INPUT_SAMPLE_RATE = 16_000


def build_session(settings: Settings, vad: VAD) -> AgentSession[None]:
    """One call's session; it opens no connection before `start`."""
    ears, minds = settings.assemblyai, settings.openai
    return AgentSession(
        stt=STT(api_key=ears.api_key, base_url=ears.base_url, options=ears.session),
        vad=vad,
        llm=openai.LLM(
            model=minds.llm_model,
            api_key=minds.api_key.get_secret_value(),
            base_url=minds.base_url,
        ),
        tts=openai.TTS(
            model=minds.tts_model,
            voice=minds.tts_voice,
            api_key=minds.api_key.get_secret_value(),
            base_url=minds.base_url,
            # Raw samples can be played from the first one on; mp3 has to be decoded in frames.
            response_format="pcm",
        ),
        turn_handling=turn_handling(),
        # LiveKit forwards what was said to recognisers that take context, and asks an LLM for key
        # terms: both hand out what callers say without being asked.
        stt_context_options={"forward_chat_context": False},
        # By default the first three seconds of the agent's speech are deaf, to spare clients
        # without echo cancellation; browsers and phones have it, and a caller may interrupt the
        # greeting at its first word.
        aec_warmup_duration=None,
        # A caller who hangs up waits for nothing: words still on the way belong to nobody's next
        # turn.
        session_close_transcript_timeout=0.5,
    )


def turn_handling() -> TurnHandlingOptions:
    """Who decides that a turn has ended, and what may interrupt the agent."""
    return {
        # AssemblyAI's end of turn is the end of turn: without this line LiveKit loads a model of
        # its own.
        "turn_detection": "stt",
        # The service has already waited for the silence that its thresholds ask for. LiveKit would
        # add 0.5 s.
        "endpointing": {"mode": "fixed", "min_delay": 0.0, "max_delay": 3.0},
        # Unset, this prefers a detector in LiveKit Cloud, and the caller's audio leaves for it.
        "interruption": {"mode": "vad"},
        # The reply is thought out, and spoken into a buffer, while the end of the turn is still
        # being confirmed.
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }


def room_options(caller_identity: str) -> room_io.RoomOptions:
    """How the session listens and speaks in the room: to this caller alone."""
    return room_io.RoomOptions(
        participant_identity=caller_identity,
        audio_input=room_io.AudioInputOptions(
            sample_rate=INPUT_SAMPLE_RATE,
            num_channels=1,
            # The shortest chunk that the service accepts, and a third of the work of 10 ms frames.
            frame_size_ms=50,
            # Browsers and phones have levelled the voice already; doing it again costs CPU for
            # every 10 ms.
            auto_gain_control=False,
        ),
        # `agent.call.answer` decides when a call is over: LiveKit keeps the session of a caller
        # whose network died.
        close_on_disconnect=False,
    )
