"""The session: ears, mind and voice, and each LiveKit default that we choose, with its reason."""

from dataclasses import dataclass

from livekit.agents import AgentSession, room_io, vad
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import openai, silero

from agent.call.turn_taking import turn_handling
from config.settings import Settings
from stt_assemblyai.stt import STT

# What AssemblyAI and Silero both work at; LiveKit's default, 24 kHz, would be resampled twice.
INPUT_SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a session is made of. Nothing in it has opened a connection."""

    settings: Settings
    ears: STT
    vad: vad.VAD
    mind: openai.LLM
    voice: openai.TTS


def equip(settings: Settings) -> Equipment:
    """Load and build all that takes time, before the call comes: it would hold up the greeting."""
    hearing, openai_ = settings.assemblyai, settings.openai
    key = openai_.api_key.get_secret_value()
    return Equipment(
        settings=settings,
        ears=STT(
            api_key=hearing.api_key,
            base_url=hearing.base_url,
            options=settings.session_options,
            patience_seconds=hearing.patience_seconds,
            new_sessions_per_minute=hearing.new_sessions_per_minute,
            wait_for_formatted_ms=hearing.wait_for_formatted_ms,
        ),
        vad=silero.VAD.load(activation_threshold=settings.vad_threshold),
        mind=openai.LLM(model=openai_.llm_model, api_key=key, base_url=openai_.base_url),
        voice=openai.TTS(
            model=openai_.tts_model,
            voice=openai_.tts_voice,
            api_key=key,
            base_url=openai_.base_url,
            # Raw samples can be played from the first one on; mp3 has to be decoded in frames.
            response_format="pcm",
        ),
    )


def build_session(equipment: Equipment) -> AgentSession[None]:
    """One call's session; it opens no connection before `start`."""
    return AgentSession(
        stt=equipment.ears,
        vad=equipment.vad,
        llm=equipment.mind,
        tts=equipment.voice,
        turn_handling=turn_handling(equipment.settings),
        # LiveKit forwards what was said to recognisers that take context, and asks an LLM for key
        # terms: both hand out what callers say without being asked.
        stt_context_options={"forward_chat_context": False},
        # By default the first three seconds of the agent's speech are deaf, to spare clients
        # without echo cancellation; browsers and phones have it, and a caller may interrupt the
        # greeting at its first word.
        aec_warmup_duration=None,
        # `agent.call.answer` asks a caller who is silent for this long.
        user_away_timeout=equipment.settings.agent.silence_seconds,
        # `agent.call.answer` ends the call at the first one; until the apology is spoken, the
        # session must not close by itself.
        conn_options=SessionConnectOptions(max_unrecoverable_errors=1000),
        # A caller who hangs up waits for nothing: words still on the way belong to nobody's next
        # turn.
        session_close_transcript_timeout=0.5,
    )


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
            # What was said before the agent came would be taken from anybody in the room, and kept.
            pre_connect_audio=False,
        ),
        # `agent.call.chat` reads what is typed.
        text_input=False,
        # `agent.call.answer` decides when a call is over: LiveKit keeps the session of a caller
        # whose network died.
        close_on_disconnect=False,
    )
