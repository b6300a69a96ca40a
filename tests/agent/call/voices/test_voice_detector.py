"""Our stream of Silero's detector hears what the plugin's own hears, at less cost."""

from pathlib import Path

import av
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import vad
from livekit.plugins import silero

from agent.call.voices import voice_detector
from agent.call.voices.voice_detector import VoiceDetector, Window, fastest_model

ROOT = Path(__file__).parents[4]
RECORDED = [
    *sorted((ROOT / "agent").rglob("*.ogg")),
    *sorted((ROOT / "workbench/bench/talk/noises").glob("*.flac")),
]
RATE = 16_000


@pytest.fixture(scope="module")
def plugin() -> silero.VAD:
    detector = silero.VAD.load()
    assert isinstance(detector, silero.VAD)
    return detector


def sound(path: Path, rate: int = RATE) -> Window:
    """A recording, with a second of silence behind it."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(str(path)) as file:
        pieces = [
            part.to_ndarray()[0]
            for each in file.decode(audio=0)
            for part in resampler.resample(each)
        ]
    return np.concatenate([*pieces, np.zeros(rate, np.int16)]).astype(np.int16)


async def heard(
    detector: vad.VAD, pcm: Window, rate: int = RATE, flush_at: int = -1
) -> list[vad.VADEvent]:
    """All events of a sound that comes in frames of 50 ms."""
    stream = detector.stream()
    try:
        size = rate // 20
        for index, start in enumerate(range(0, len(pcm), size)):
            part = pcm[start : start + size]
            if index == flush_at:
                stream.flush()
            stream.push_frame(rtc.AudioFrame(part.tobytes(), rate, 1, len(part)))
        stream.end_input()
        return [each async for each in stream]
    finally:
        await stream.aclose()


def facts(events: list[vad.VADEvent]) -> list[tuple[object, ...]]:
    """What a session and our taps go by."""
    return [
        (
            each.type,
            each.samples_index,
            round(each.speech_duration, 3),
            round(each.silence_duration, 3),
            round(each.raw_accumulated_speech, 3),
            round(each.raw_accumulated_silence, 3),
            each.speaking,
        )
        for each in events
    ]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_it_hears_what_the_plugin_hears(path: Path, plugin: silero.VAD) -> None:
    pcm = sound(path)
    ours, plugins = await heard(VoiceDetector(plugin), pcm), await heard(plugin, pcm)
    assert facts(ours) == facts(plugins)
    both = zip(ours, plugins, strict=True)
    assert max(abs(one.probability - other.probability) for one, other in both) < 0.01


async def test_after_a_flush_too(plugin: silero.VAD) -> None:
    pcm = sound(ROOT / "agent/caller/question.ogg")
    ours = await heard(VoiceDetector(plugin), pcm, flush_at=20)
    assert facts(ours) == facts(await heard(plugin, pcm, flush_at=20))


def conversation() -> Window:
    """A caller on a line with noise, who speaks, waits for long, and speaks again; at the end the
    microphone is muted, and not any more."""
    asks, draw = sound(ROOT / "agent/caller/question.ogg"), np.random.default_rng(1)
    noise = draw.normal(scale=12, size=RATE * 4).astype(np.int16)
    mute = np.zeros(RATE * 4, np.int16)
    return np.concatenate([noise, asks, noise, asks // 8, noise, asks, mute, asks])


class Pushing:
    """A detector, and after which frame each event came."""

    def __init__(self, detector: VoiceDetector) -> None:
        self.events: list[tuple[int, vad.VADEvent]] = []
        self.frames = 0
        detector.taps.append(lambda event: self.events.append((self.frames, event)))

    async def hear(self, stream: vad.VADStream, pcm: Window) -> None:
        for start in range(0, len(pcm), 800):
            part = pcm[start : start + 800]
            stream.push_frame(rtc.AudioFrame(part.tobytes(), RATE, 1, len(part)))
            self.frames += 1
        await stream.aclose()


async def test_sound_that_waits_in_a_calm_changes_nothing_and_delays_no_onset(
    plugin: silero.VAD,
) -> None:
    pcm, detector = conversation(), VoiceDetector(plugin)
    pushing = Pushing(detector)
    await pushing.hear(detector.stream(), pcm)
    plugins = await heard(plugin, pcm)
    ours = [event for _, event in pushing.events]
    assert facts(ours) == facts(plugins[: len(ours)])
    both = zip(ours, plugins, strict=False)
    assert max(abs(one.probability - other.probability) for one, other in both) < 0.01
    late = [frame * 800 - each.samples_index for frame, each in pushing.events]
    turning = [each.type is not vad.VADEventType.INFERENCE_DONE for each in ours]
    assert sum(turning) >= 8  # four times asked
    onsets_and_ends = [each for each, turns in zip(late, turning, strict=True) if turns]
    assert max(onsets_and_ends) < 800 + 512  # in the very frame
    assert max(late) <= 2400 + 512  # nothing waits for longer than 150 ms
    judged_at_once = len({frame for frame, _ in pushing.events})
    assert judged_at_once < pushing.frames * 0.9


async def test_sound_of_another_rate_is_heard_too(plugin: silero.VAD) -> None:
    pcm = sound(ROOT / "agent/caller/question.ogg", 48_000)
    kinds = [each.type for each in await heard(VoiceDetector(plugin), pcm, 48_000)]
    assert vad.VADEventType.START_OF_SPEECH in kinds
    assert vad.VADEventType.END_OF_SPEECH in kinds


async def test_taps_read_each_event_before_the_session(plugin: silero.VAD) -> None:
    detector = VoiceDetector(plugin)
    tapped: list[vad.VADEvent] = []
    detector.taps.append(tapped.append)
    events = await heard(detector, sound(ROOT / "agent/caller/question.ogg"))
    assert tapped == events


async def test_sound_that_waited_is_heard_at_once(plugin: silero.VAD) -> None:
    stream = VoiceDetector(plugin).stream()
    pcm = sound(ROOT / "agent/caller/question.ogg")
    stream.push_frame(rtc.AudioFrame(pcm.tobytes(), RATE, 1, len(pcm)))
    first = await anext(stream)  # without a turn of the event loop
    assert first.samples_index == 512
    await stream.aclose()


def test_it_passes_for_the_plugin(plugin: silero.VAD) -> None:
    detector = VoiceDetector(plugin)
    assert (detector.model, detector.provider) == (plugin.model, plugin.provider)
    assert detector.min_silence_duration == plugin.min_silence_duration


def test_the_native_model_is_used_while_it_agrees_with_the_plugins(
    plugin: silero.VAD, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    native = voice_detector.local_inference.VAD
    assert isinstance(fastest_model(plugin), native)

    class Deaf:
        def predict(self, pcm: Window) -> float:
            return 0.0 if pcm.any() else 1.0

    monkeypatch.setattr("livekit.local_inference.VAD", Deaf)
    plugins = fastest_model(plugin)
    assert not isinstance(plugins, (native, Deaf))
    assert "answers otherwise" in caplog.text
    pcm = sound(ROOT / "agent/caller/question.ogg")[: 512 * 60].reshape(-1, 512)
    assert max(plugins.predict(each) for each in pcm) > 0.9
