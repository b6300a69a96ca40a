"""Silero's voice detector at a fifth of the plugin's cost: its model, in a thinner stream.

The plugin hands each 32 ms to a thread and waits for it. A window takes less time than that hand
over, so here it is judged at once, in the event loop. Nothing is queued: after a stall the sound
that waited is judged within milliseconds, where the plugin falls behind by seconds.
"""

import logging
import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
from livekit import local_inference, rtc
from livekit.agents import vad
from livekit.plugins import silero

from agent.call.voices.detection import RATE, WINDOW_SAMPLES, Detection, Limits
from agent.call.voices.vad_tap import TappedVAD
from agent.livekit_private import detections, pushed_audio, silero_model, silero_options

log = logging.getLogger(__name__)
_BYTES = WINDOW_SAMPLES * 2
_SAME = 0.01

Window = npt.NDArray[np.int16]


class Model(Protocol):
    """How probable a voice is in a window; it remembers the windows before."""

    def predict(self, pcm: Window) -> float:
        """The probability, 0 to 1, for WINDOW_SAMPLES samples of 16 kHz."""

    def reset(self) -> None:
        """Forget the windows before."""


class _PluginModel:
    """The plugin's own, on ONNX Runtime."""

    def __init__(self, detector: silero.VAD) -> None:
        self._model = silero_model(detector)

    def predict(self, pcm: Window) -> float:
        return self._model(np.divide(pcm, 32767, dtype=np.float32))

    def reset(self) -> None:
        self._model.reset()


def fastest_model(detector: silero.VAD) -> Model:
    """LiveKit's native build of the same weights, or the plugin's own if the two do not agree."""
    plugins, native = _PluginModel(detector), local_inference.VAD()
    if all(abs(plugins.predict(each) - native.predict(each)) < _SAME for each in _probe()):
        native.reset()
        return native
    log.warning("the native voice detector answers otherwise than Silero's plugin: it is not used")
    plugins.reset()
    return plugins


def _probe() -> Iterator[Window]:
    """Something like a voice, which comes and goes: a buzz with overtones."""
    times = np.arange(WINDOW_SAMPLES * 12) / RATE
    buzz = sum(np.sin(2 * np.pi * 140 * each * times) / each for each in range(1, 25))
    sound = 4000 * buzz * np.sin(2 * np.pi * 3 * times) ** 2
    yield from sound.astype(np.int16).reshape(-1, WINDOW_SAMPLES)


class VoiceDetector(TappedVAD):
    """Silero's detector with the plugin's options, and with taps."""

    def __init__(self, detector: silero.VAD) -> None:
        super().__init__(detector)
        self._silero = detector
        options = silero_options(detector)
        self._limits = Limits(
            activation=options.activation_threshold,
            deactivation=options.deactivation_threshold,
            least_voice_seconds=options.min_speech_duration,
            least_silence_seconds=options.min_silence_duration,
            before_seconds=options.prefix_padding_duration,
            longest_seconds=options.max_buffered_speech,
        )

    @property
    def min_silence_duration(self) -> float:
        """The silence, in seconds, that ends a voice."""
        return self._limits.least_silence_seconds

    def stream(self) -> vad.VADStream:
        return _Stream(self, fastest_model(self._silero), Detection(self._limits))


class _Stream(vad.VADStream):
    def __init__(self, detector: VoiceDetector, model: Model, detection: Detection) -> None:
        self._taps = detector.taps
        self._model = model
        self._detection = detection
        self._waiting = bytearray()
        """Sound that does not fill a window yet."""
        self._resampler: rtc.AudioResampler | None = None
        super().__init__(detector)

    async def _main_task(self) -> None:
        found = detections(self)
        async for each in pushed_audio(self):
            if not isinstance(each, rtc.AudioFrame):
                self._reset()
                continue
            for event in self._hear(each):
                for tap in self._taps:
                    tap(event)
                found.send_nowait(event)

    def _reset(self) -> None:
        self._model.reset()
        self._detection.reset()
        self._waiting.clear()
        self._resampler = None

    def _hear(self, frame: rtc.AudioFrame) -> Iterator[vad.VADEvent]:
        for each in self._at_own_rate(frame):
            self._waiting += each.data.cast("b")
        while len(self._waiting) >= _BYTES:
            pcm = bytes(self._waiting[:_BYTES])
            del self._waiting[:_BYTES]
            begun = time.perf_counter()
            probability = self._model.predict(np.frombuffer(pcm, np.int16))
            took = time.perf_counter() - begun
            window = rtc.AudioFrame(pcm, RATE, 1, WINDOW_SAMPLES)
            yield from self._detection.hear(probability, window, took)

    def _at_own_rate(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        if frame.sample_rate == RATE:
            return [frame]
        if self._resampler is None:
            quality = rtc.AudioResamplerQuality.QUICK
            self._resampler = rtc.AudioResampler(frame.sample_rate, RATE, quality=quality)
        return self._resampler.push(frame)
