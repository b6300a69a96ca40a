"""What callers say: recorded human speech with its words, and synthetic questions.

Recordings lie inside packages: the moonshine-voice wheel has a reading of Dickens; Debian's
asterisk-core-sounds-en-wav (Allison Smith, CC-BY-SA-3.0) and pocketsphinx-testdata (LibriVox) are
used where they are installed. Nothing is copied.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.resampling import resampled as resampled
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from agent.caller.utterance import Utterance as Utterance
from workbench.standins.engines.synthesizer import SAMPLE_RATE_HZ as SYNTHESIZER_RATE
from workbench.standins.engines.synthesizer import Synthesizer
from workbench.standins.engines.weights import package_directory

ASTERISK = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")

_PEAK = 0.5
_EDGE_SECONDS = 0.02
_SENTENCE_SECONDS = (2.0, 8.0)


@dataclass(frozen=True, slots=True)
class _Clip:
    start_seconds: float
    end_seconds: float
    text: str


# The opening of "A Tale of Two Cities", cut at its pauses.
_DICKENS = (
    _Clip(1.1, 4.4, "It was the best of times, it was the worst of times."),
    _Clip(4.9, 8.0, "It was the age of wisdom, it was the age of foolishness."),
    _Clip(8.7, 13.0, "It was the epoch of belief, it was the epoch of incredulity."),
    _Clip(13.3, 16.9, "It was the season of light, it was the season of darkness."),
    _Clip(17.4, 20.8, "It was the spring of hope, it was the winter of despair."),
    _Clip(21.1, 24.3, "We had everything before us, we had nothing before us."),
    _Clip(
        24.5, 28.6, "We were all going direct to heaven, we were all going direct the other way."
    ),
    _Clip(
        32.7,
        38.5,
        "Some of its noisiest authorities insisted on its being received, for good or for evil.",
    ),
)
# From LibriVox' "Sense and Sensibility".
_AUSTEN = {
    "0870": "And Mister John Dashwood had then leisure to consider how much there might be"
    " prudently in his power to do for them.",
    "0880": "He was not an ill disposed young man.",
    "0890": "Unless to be rather cold hearted and rather selfish is to be ill disposed.",
    "0930": "He might even have been made amiable himself.",
}
_ALLISON = {
    "all-circuits-busy-now": "All circuits are busy now.",
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "check-number-dial-again": "Please check the number and dial again.",
    "conf-onlyone": "There is currently one other participant in the conference.",
    "conf-onlyperson": "You are currently the only person in this conference.",
    "demo-echodone": "The echo test has been completed.",
    "dir-nomatch": "No directory entries match your search.",
    "pls-hold-while-try": "Please hold while we try to connect you.",
    "pls-try-call-later": "Please try your call again later.",
    "privacy-prompt": "Please enter your phone number, starting with the area code.",
    "queue-thankyou": "Thank you for your patience.",
    "ss-noservice": "The number you have dialed is not in service."
    " Please check the number and try again.",
    "tt-monkeysintro": "They have been carried away by monkeys.",
    "tt-weasels": "Weasels have eaten our phone system.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment.",
    "vm-nonumber": "I'm afraid I don't know who sent this message.",
}


@cache
def dickens(edge_seconds: float = _EDGE_SECONDS) -> tuple[Utterance, ...]:
    """A man reading, 3 to 6 s an utterance, with at most `edge_seconds` of the recording before
    and behind the voice; EngineUnavailableError where the wheel is missing."""
    behind = edge_seconds - _EDGE_SECONDS  # the clips end where the voice does
    path = package_directory("moonshine_voice") / "assets" / "two_cities.wav"
    sound, rate = _read(path)
    return tuple(
        _utterance(
            clip.text,
            sound[round(clip.start_seconds * rate) : round((clip.end_seconds + behind) * rate)],
            rate,
            "recorded, two_cities.wav",
            edge_seconds,
        )
        for clip in _DICKENS
    )


@cache
def austen(edge_seconds: float = _EDGE_SECONDS) -> tuple[Utterance, ...]:
    """Another reader, where pocketsphinx-testdata is installed; else none."""
    prefix = "sense_and_sensibility_01_austen_64kb"
    files = {LIBRIVOX / f"{prefix}-{part}.wav": text for part, text in _AUSTEN.items()}
    return _files(files, edge_seconds)


@cache
def allison() -> tuple[Utterance, ...]:
    """A woman's telephone announcements, where asterisk-core-sounds-en-wav is; else none."""
    return _files({ASTERISK / f"{name}.wav": text for name, text in _ALLISON.items()})


def announcements(edge_seconds: float = _EDGE_SECONDS) -> tuple[Utterance, ...]:
    """All of that woman's that are as long as a sentence, by name; a text they do not have."""
    shortest, longest = _SENTENCE_SECONDS
    paths = [path for path in sorted(ASTERISK.rglob("*.wav")) if path.parent.name != "silence"]
    chosen = [path for path in paths if shortest <= soundfile.info(path).duration <= longest]
    return _files({path: path.stem for path in chosen}, edge_seconds)


def recorded() -> tuple[Utterance, ...]:
    """All human speech that this machine has."""
    return (*dickens(), *austen(), *allison())


@cache
def synthesised(text: str) -> Utterance:
    """A sentence of a synthetic voice, for what no recording says."""
    sound = (_synthesizer().speak(text) * 32767).astype(np.int16)
    return _utterance(text, sound, SYNTHESIZER_RATE, "synthesised")


def with_pause(first: Utterance, second: Utterance, pause_seconds: float) -> Utterance:
    """Two utterances as one, with a pause between them."""
    pause = np.zeros(round(pause_seconds * SAMPLE_RATE), np.int16)
    return Utterance(
        f"{first.text} {second.text}",
        np.concatenate([first.samples, pause, second.samples]),
        first.source,
    )


@cache
def _synthesizer() -> Synthesizer:
    return Synthesizer.load()


def _files(texts: dict[Path, str], edge_seconds: float = _EDGE_SECONDS) -> tuple[Utterance, ...]:
    return tuple(
        _utterance(text, *_read(path), f"recorded, {path.name}", edge_seconds)
        for path, text in texts.items()
        if path.is_file()
    )


def _read(path: Path) -> tuple[Samples, int]:
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return sound[:, 0], rate


def _utterance(
    text: str, sound: Samples, rate: int, source: str, edge_seconds: float = _EDGE_SECONDS
) -> Utterance:
    """Trimmed to its speech, at 48 kHz, and as loud as the others."""
    spans = speech_spans(sound, rate, pause_seconds=0.3)
    if spans:
        first = max(0, round((spans[0].start_seconds - edge_seconds) * rate))
        sound = sound[first : round((spans[-1].end_seconds + edge_seconds) * rate)]
    sound = resampled(sound, rate, SAMPLE_RATE)
    loudest = max(1, int(np.abs(sound.astype(np.int32)).max()))
    return Utterance(text, (sound * (_PEAK * 32767 / loudest)).astype(np.int16), source)
