"""The voice: a `tts.TTS` with retries and a fallback."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts, utils

from agent.call.models.back_off import Patience
from agent.call.models.fallback import OnTry, Progress, Provider, Providers
from agent.livekit_private import Asks


class PatientTTS(tts.TTS[Any]):
    """Asks the first provider, retries if it fails, and asks the next ones in its place.

    Streams raise `ModelError`. LiveKit's own retries are not used. All providers have the sample
    rate of the first.
    """

    def __init__(
        self,
        providers: Sequence[Provider[tts.TTS[Any]]],
        patience: Patience,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        first = providers[0].model
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=first.sample_rate,
            num_channels=first.num_channels,
        )
        self._attempt_seconds = patience.attempt_seconds
        self._providers = Providers(providers, patience, is_speech=True, jitter=jitter)

    @property
    def model(self) -> str:
        return self._providers.next.model

    @property
    def provider(self) -> str:
        return self._providers.next.provider

    def prewarm(self) -> None:
        self._providers.next.prewarm()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Ignores `conn_options`: `Patience` decides."""
        return _Speech(self, self._providers, self._attempt_seconds, text)

    def on_try(self, tell: OnTry) -> None:
        """Call this, too, after each try of a provider, in its task."""
        self._providers.listeners.append(tell)

    async def aclose(self) -> None:
        await self._providers.aclose()


class _Speech(Asks, tts.ChunkedStream):
    def __init__(
        self,
        own: PatientTTS,
        providers: Providers[tts.TTS[Any]],
        attempt_seconds: float,
        text: str,
    ) -> None:
        self._own = own
        self._once = APIConnectOptions(max_retry=0, timeout=attempt_seconds)
        super().__init__(tts=own, input_text=text, conn_options=self._once)
        self._providers = providers
        self._spoken_seconds = 0.0
        """How much sound all tries together have passed on."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._own.sample_rate,
            num_channels=self._own.num_channels,
            mime_type="audio/pcm",
        )

        async def ask(voice: tts.TTS[Any], progress: Progress) -> None:
            await self._ask(voice, progress, output_emitter)

        self._providers.probe(self._ask_in_vain)
        await self._providers.ask(ask)

    async def _ask(
        self, voice: tts.TTS[Any], progress: Progress, emitter: tts.AudioEmitter
    ) -> None:
        """One try. It skips the sound that earlier tries have passed on."""
        to_skip_seconds = self._spoken_seconds
        async with voice.synthesize(self.input_text, conn_options=self._once) as stream:
            async for audio in stream:
                progress.begin()
                frame = audio.frame
                if to_skip_seconds >= frame.duration:
                    to_skip_seconds -= frame.duration
                    continue
                if to_skip_seconds > 0:
                    frame, to_skip_seconds = _without(frame, to_skip_seconds), 0.0
                self._spoken_seconds += frame.duration
                emitter.push_frame(frame)

    async def _ask_in_vain(self, voice: tts.TTS[Any], progress: Progress) -> None:
        async with voice.synthesize(self.input_text, conn_options=self._once) as stream:
            async for _ in stream:
                progress.begin()


def _without(frame: rtc.AudioFrame, seconds: float) -> rtc.AudioFrame:
    """The rest of a frame after its first `seconds`."""
    samples = int(seconds * frame.sample_rate)
    return rtc.AudioFrame(
        data=frame.data[samples * frame.num_channels :],
        sample_rate=frame.sample_rate,
        num_channels=frame.num_channels,
        samples_per_channel=frame.samples_per_channel - samples,
    )
