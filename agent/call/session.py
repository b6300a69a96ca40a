"""The session: STT, LLM and TTS, and each LiveKit option that we change, with the reason."""

from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession, room_io, stt, vad
from livekit.plugins import silero

from agent.assistant import own_llm, own_stt, own_tts
from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.call.providers import (
    AnySTT,
    Clients,
    build_llm,
    build_stt,
    build_tts,
    connect_options,
    with_inference,
)
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.reply.spoken_form import in_spoken_form
from agent.call.turns.end_of_turn.detector import EndOfTurnDetector, LiveKitDetector
from agent.call.turns.endpointing import turn_handling
from agent.call.voices.vad_tap import TappedVAD
from agent.call.voices.voice_detector import VoiceDetector
from agent.livekit_private import close_for_job, keep_tool_schemas, measure_no_speaking_rate
from config.settings import Settings
from stt_assemblyai.stt import STT


@dataclass(frozen=True, slots=True)
class SessionParts:
    """The parts of a session. None of them has opened a connection."""

    settings: Settings
    assemblyai: STT
    """Its options can be changed during a call."""
    stt: AnySTT
    """The same, with its fallback if there is one; or what `agent.assistant` has in its place."""
    vad: vad.VAD
    llm: PatientLLM
    tts: PatientTTS
    clients: Clients
    end_of_turn: EndOfTurnDetector | None = None
    """Gives the second opinion on ends of turns, if one is wanted."""

    def again(self) -> "SessionParts":
        """The same for another call in this process. Shares what no call changes."""
        return build_parts(self.settings, self.clients, self.vad, self.end_of_turn)

    def for_call(self, settings: Settings) -> "SessionParts":
        """The same for a call with its own settings. Keeps what takes time to make, except a voice
        detector whose threshold is not that of this call: loading another takes 0.1 s."""
        if settings == self.settings:
            return self
        is_kept = settings.vad_threshold == self.settings.vad_threshold
        detector = self.vad if is_kept else _detector(settings)
        return build_parts(settings, self.clients, detector, self.end_of_turn)


def prepare_parts(settings: Settings) -> SessionParts:
    """Load and build all that takes time before a call comes, so that no greeting waits for it."""
    measure_no_speaking_rate()
    keep_tool_schemas()
    wanted = settings.agent.turn_second_opinion == "livekit"
    end_of_turn = LiveKitDetector() if wanted else None
    return build_parts(settings, Clients.of(settings.openai), _detector(settings), end_of_turn)


def _detector(settings: Settings) -> vad.VAD:
    return silero.VAD.load(activation_threshold=settings.vad_threshold)


def build_parts(
    settings: Settings,
    clients: Clients,
    detector: vad.VAD,
    end_of_turn: EndOfTurnDetector | None = None,
) -> SessionParts:
    """Build the other parts, which takes no time."""
    assemblyai = build_stt(settings)
    return SessionParts(
        settings=settings,
        assemblyai=assemblyai,
        stt=own_stt() or with_inference(assemblyai, settings),
        vad=detector,
        llm=build_llm(settings.openai, clients, own=own_llm()),
        tts=build_tts(settings.openai, clients, own=own_tts()),
        clients=clients,
        end_of_turn=end_of_turn,
    )


def _tapped(detector: vad.VAD) -> TappedVAD:
    """The detector with taps: Silero's in a stream of ours, any other as it is."""
    if isinstance(detector, silero.VAD):
        return VoiceDetector(detector)
    return TappedVAD(detector)


class CallSession(AgentSession[None]):
    """Only LiveKit's job calls `aclose`, when it has to end; agents end theirs by `shutdown`."""

    async def aclose(self) -> None:
        await close_for_job(self)


def build_session(parts: SessionParts, group: stt.STT[Any] | None = None) -> AgentSession[None]:
    """One call's session. Opens no connection before `start`. `hearing` replaces the STT."""
    return CallSession(
        stt=group or parts.stt,
        vad=_tapped(parts.vad),
        llm=parts.llm,
        tts=PromptVoice(
            parts.tts,
            least_chars=parts.settings.agent.first_clause_chars,
            longest_pause_seconds=parts.settings.agent.longest_pause_ms / 1000,
            # Waiting for a turn's formatted text costs nothing until the reply has its first sound.
            on_first_sound=parts.assemblyai.commit_now,
        ),
        # LiveKit's own transforms hold a text back until a mark finds its pair, perhaps for ever.
        tts_text_transforms=[in_spoken_form],
        turn_handling=turn_handling(parts.settings),
        # LiveKit forwards what was said to recognisers that take context, and asks an LLM for key
        # terms. Both give callers' words to others without being asked.
        stt_context_options={"forward_chat_context": False},
        # By default the session is deaf in the first three seconds of the agent's speech, for the
        # sake of clients without echo cancellation. Browsers and phones have it, and a caller may
        # interrupt the greeting at its first word.
        aec_warmup_duration=None,
        # After this much silence `agent.call.silence` asks whether the caller is there.
        user_away_timeout=parts.settings.agent.silence_seconds,
        conn_options=connect_options(),
        # After a caller has hung up, nobody needs the words that are still on the way.
        session_close_transcript_timeout=0.5,
    )


def room_options(caller_identity: str) -> room_io.RoomOptions:
    """How the session listens and speaks in the room: with this caller alone."""
    return room_io.RoomOptions(
        participant_identity=caller_identity,
        # `agent.call.voices.voice_feed` is the input: it takes the caller's tracks from every kind
        # of client, and nothing from before the agent came: anybody in the room may have said it.
        audio_input=False,
        # `agent.call.output.room_voice` is the output.
        audio_output=False,
        # `agent.call.chat` reads what is typed.
        text_input=False,
        # `agent.call.answer` decides when a call is over: LiveKit would not end it for a caller
        # whose network died.
        close_on_disconnect=False,
    )
