"""Converts Moonshine base once into int8 ONNX, ten times faster; about 20 s, no network.

The shipped files hold int8 weights which are made floats again at every step. They are written
back as ONNX, their constants are folded, and the matrix products are quantized for good.
"""

import fcntl
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workbench.arguments import expect_none
from workbench.standins.engines.weights import CACHE, base_source_directory

CONVERTED = CACHE / "moonshine-base-int8"
GRAPHS = ("encoder_model", "decoder_model_merged")
TIME_LIMIT_SECONDS = 600


def converted_base() -> Path:
    """The folder of the converted weights; converts first if nobody has. Safe between processes."""
    if not CONVERTED.is_dir():
        CACHE.mkdir(exist_ok=True)
        with (CACHE / f"{CONVERTED.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not CONVERTED.is_dir():
                _convert_in_own_process(lock.fileno())
    return CONVERTED


def _convert_in_own_process(lock: int) -> None:
    """A process of its own, since converting takes far more memory than recognizing.

    It holds the lock too: if its parent is killed, nobody else begins before it has ended.
    """
    subprocess.run(
        [sys.executable, "-m", "workbench.standins.engines.conversion"],
        check=True,
        cwd=CACHE.parent,
        pass_fds=[lock],
        stdout=sys.stderr,
        timeout=TIME_LIMIT_SECONDS,
    )


def convert(source: Path, destination: Path) -> None:
    """Write `destination` whole or not at all. Nobody else may be at it."""
    unfinished = destination.with_name(f"{destination.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for graph in GRAPHS:
            _convert_graph(source / f"{graph}.ort", unfinished / f"{graph}.onnx", Path(folder))
    shutil.copy(source / "tokenizer.bin", unfinished)
    unfinished.rename(destination)


def _convert_graph(source: Path, destination: Path, folder: Path) -> None:
    from onnxruntime import GraphOptimizationLevel
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, folded = folder / "plain.onnx", folder / "folded.onnx"
    _write_back(source, plain, GraphOptimizationLevel.ORT_DISABLE_ALL)
    _write_back(plain, folded, GraphOptimizationLevel.ORT_ENABLE_BASIC)
    quantize_dynamic(
        folded,
        destination,
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul"],
        extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
    )


def _write_back(source: Path, destination: Path, level: object) -> None:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.optimized_model_filepath = str(destination)
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.add_session_config_entry("session.save_model_format", "ONNX")
    InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    _name_graphs(destination)


def _name_graphs(path: Path) -> None:
    """onnxruntime writes graphs without names, and ONNX's own checker wants names."""
    import onnx

    model = onnx.load(path)
    model.graph.name = model.graph.name or "main"
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                attribute.g.name = attribute.g.name or attribute.name
    onnx.save(model, path)


if __name__ == "__main__":
    expect_none("workbench.standins.engines.conversion", __doc__)
    logging.disable(logging.WARNING)
    print(f"converting speech weights, once, about 20 s: {CONVERTED}", file=sys.stderr)
    convert(base_source_directory(), CONVERTED)
