"""Silero's voice detector at a sixth of the plugin's cost: its model, in a thinner stream.

The plugin hands each 32 ms to a thread and waits for it. A window takes less time than that hand
over, so here it is judged where it is pushed, in the event loop. Nothing is queued: after a stall
the sound that waited is judged within milliseconds, where the plugin falls behind by seconds.
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

from agent.call.voices.calm import Calm
from agent.call.voices.detection import (
    RATE,
    WINDOW_SAMPLES,
    WINDOW_SECONDS,
    Detection,
    Limits,
    level_db,
)
from agent.call.voices.vad_tap import TappedVAD
from agent.livekit_private import (
    detections,
    pushed_audio,
    require_input,
    shorten,
    silero_model,
    silero_options,
)

log = logging.getLogger(__name__)
_BYTES = WINDOW_SAMPLES * 2
_SAME = 0.01
_LONGEST_WAIT_BYTES = RATE * 2 * 150 // 1000

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
    """Judges sound where it is pushed: no task waits for it."""

    def __init__(self, detector: VoiceDetector, model: Model, detection: Detection) -> None:
        self._taps = detector.taps
        self._model = model
        self._detection = detection
        self._calm = Calm()
        self._waiting = bytearray()
        """Sound that has to wait: for the rest of a window, or until more of it is judged."""
        self._resampler: rtc.AudioResampler | None = None
        super().__init__(detector)
        shorten(self)
        self._found = detections(self)

    async def _main_task(self) -> None:
        """Only wait: the base class needs a task that ends with the input."""
        async for _ in pushed_audio(self):
            pass

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        require_input(self)
        can_wait = True
        for each in self._at_own_rate(frame):
            self._waiting += each.data.cast("b")
            can_wait = self._calm.may_wait(level_db(each.data)) and can_wait
        if not can_wait or len(self._waiting) >= _LONGEST_WAIT_BYTES:
            self._judge()

    def flush(self) -> None:
        require_input(self)
        self._judge()
        self._model.reset()
        self._detection.reset()
        self._waiting.clear()
        self._resampler = None

    def _judge(self) -> None:
        """Tell what is found in all whole windows that wait."""
        begin = 0
        while (end := begin + _BYTES) <= len(self._waiting):
            for event in self._found_in(bytes(self._waiting[begin:end])):
                for tap in self._taps:
                    tap(event)
                self._found.send_nowait(event)
            begin = end
        del self._waiting[:begin]

    def _found_in(self, pcm: bytes) -> Iterator[vad.VADEvent]:
        begun = time.perf_counter()
        probability = self._model.predict(np.frombuffer(pcm, np.int16))
        took = time.perf_counter() - begun
        self._calm.judged(probability, WINDOW_SECONDS)
        window = rtc.AudioFrame(pcm, RATE, 1, WINDOW_SAMPLES)
        return self._detection.hear(probability, window, took)

    def _at_own_rate(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        if frame.sample_rate == RATE:
            return [frame]
        if self._resampler is None:
            quality = rtc.AudioResamplerQuality.QUICK
            self._resampler = rtc.AudioResampler(frame.sample_rate, RATE, quality=quality)
        return self._resampler.push(frame)
