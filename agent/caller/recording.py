"""Recordings: what a caller says from a file of any kind, and what was heard into a WAV."""

import wave
from pathlib import Path

import av
import numpy as np

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from agent.caller.utterance import Utterance

QUESTION = Path(__file__).parent / "question.ogg"
QUESTION_TEXT = "Please tell me, what is seven plus five?"
LONGEST_SECONDS = 600
EDGE_SECONDS = 0.02
"""Of the recording, before and behind the voice."""

_PAUSE_SECONDS = 0.3


class RecordingError(Exception):
    """A file cannot be used; the message is a sentence that says why."""


def question() -> Utterance:
    """What is asked where no file is given: a question whose answer can be checked."""
    return Utterance(QUESTION_TEXT, read(QUESTION).samples, "synthesised")


def read(path: Path) -> Utterance:
    """The sound of a file: WAV, MP3, FLAC, Ogg or whatever else FFmpeg's libraries know.

    Its channels are mixed into one, at 48 kHz, from the first to the last sound: an answer may come
    as soon as the voice has ended. Raises RecordingError.
    """
    pieces: list[Samples] = []
    left = LONGEST_SECONDS * SAMPLE_RATE
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                new = [each.to_ndarray()[0] for each in resampler.resample(frame)]
                pieces += new
                left -= sum(each.size for each in new)
                if left < 0:
                    raise RecordingError(f"{path} is longer than {LONGEST_SECONDS} s.")
            pieces += [each.to_ndarray()[0] for each in resampler.resample(None)]
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, IndexError, av.FFmpegError):
        raise RecordingError(f"{path} holds no sound that can be read.") from None
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    spans = speech_spans(samples, SAMPLE_RATE, pause_seconds=_PAUSE_SECONDS)
    if not spans:
        raise RecordingError(f"{path} holds no speech: it is silent.")
    first = max(0, round((spans[0].start_seconds - EDGE_SECONDS) * SAMPLE_RATE))
    last = round((spans[-1].end_seconds + EDGE_SECONDS) * SAMPLE_RATE)
    return Utterance("", samples[first:last], path.name)


def write(path: Path, samples: Samples) -> None:
    """Write mono 48 kHz sound as a 16-bit WAV. Raises RecordingError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            out.writeframes(samples.astype("<i2").tobytes())
    except OSError as error:
        raise RecordingError(f"{path} cannot be written ({error.strerror}).") from None
