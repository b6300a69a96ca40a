"""Moonshine's two graphs and its vocabulary, run by plain onnxruntime: samples in, text out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession, SessionOptions

Samples = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
SHORTEST_SAMPLES = SAMPLE_RATE_HZ // 4
TOKENS_PER_SECOND = 6.5
START, END = 1, 2


class Moonshine:
    """One loaded model. `text` may be called from any thread, also from several at once."""

    def __init__(self, directory: Path) -> None:
        self._encoder = _session(directory, "encoder_model")
        self._decoder = _session(directory, "decoder_model_merged")
        self._vocabulary = read_vocabulary((directory / "tokenizer.bin").read_bytes())
        self._encoder_inputs = {each.name for each in self._encoder.get_inputs()}
        self._decoder_inputs = {each.name: each for each in self._decoder.get_inputs()}
        self._decoder_outputs = [each.name for each in self._decoder.get_outputs()]

    def text(self, samples: Samples) -> str:
        """The text of up to 12 s of speech: mono, 16 kHz, -1 to 1. Noise gives nonsense."""
        padding = max(0, SHORTEST_SAMPLES - samples.size)
        padded = np.pad(samples.astype(np.float32), (0, padding)).reshape(1, -1)
        return decode(self._vocabulary[token] for token in self._tokens(padded))

    def _tokens(self, samples: Samples) -> Iterator[int]:
        feed: dict[str, Any] = {"input_values": samples}
        if "attention_mask" in self._encoder_inputs:
            feed["attention_mask"] = np.ones(samples.shape, np.int64)
        fixed: dict[str, Any] = {"encoder_hidden_states": self._encoder.run(None, feed)[0]}
        if "encoder_attention_mask" in self._decoder_inputs:
            # As long as the samples, not as the hidden states: the graph itself takes every 384th.
            fixed["encoder_attention_mask"] = np.ones(samples.shape, np.int64)
        past = self._empty_past()
        token = START
        for position in range(int(samples.size / SAMPLE_RATE_HZ * TOKENS_PER_SECOND) + 4):
            if "use_cache_branch" in self._decoder_inputs:
                fixed["use_cache_branch"] = np.array([position > 0])
            feed = {"input_ids": np.array([[token]], np.int64), **fixed, **past}
            outputs = dict(zip(self._decoder_outputs, self._decoder.run(None, feed), strict=True))
            token = int(outputs["logits"][0, -1].argmax())
            if token == END:
                return
            yield token
            for name in past:
                # What is remembered of the sound (not of the text) comes with the first step only.
                if position == 0 or ".decoder." in name:
                    past[name] = outputs[name.replace("past_key_values", "present")]

    def _empty_past(self) -> dict[str, Samples]:
        return {
            name: np.zeros((1, each.shape[1], 0, each.shape[3]), np.float32)
            for name, each in self._decoder_inputs.items()
            if name.startswith("past_key_values")
        }


def _session(directory: Path, graph: str) -> Any:  # onnxruntime has no types
    options = SessionOptions()
    options.intra_op_num_threads = 1  # a second thread gains nothing, and two sessions then fit
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    converted = directory / f"{graph}.onnx"
    path = converted if converted.exists() else directory / f"{graph}.ort"
    return InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def read_vocabulary(data: bytes) -> list[bytes]:
    """The pieces of `tokenizer.bin`: a length (a second byte if >= 128), then that many bytes."""
    pieces = []
    position = 0
    while position < len(data):
        length = data[position]
        position += 1
        if length >= 128:
            length += data[position] * 128 - 128
            position += 1
        pieces.append(data[position : position + length])
        position += length
    return pieces


def decode(pieces: Iterator[bytes]) -> str:
    """Join pieces to text: U+2581 is a space, `<0xNN>` one byte, other `<...>` are marks."""
    text = b""
    for piece in pieces:
        if piece.startswith(b"<0x") and piece.endswith(b">"):
            text += bytes([int(piece[3:5], 16)])
        elif not (piece.startswith(b"<") and piece.endswith(b">")):
            text += piece.replace("\u2581".encode(), b" ")
    return text.decode("utf-8", "ignore").strip()
