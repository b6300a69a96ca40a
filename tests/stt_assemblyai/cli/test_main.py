"""The program that transcribes files and pipes, run as a person runs it, against the stand-in."""

import asyncio
import json
import os
import pty
import signal
import struct
import sys
import wave
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stt_assemblyai.cli.input import open_input
from stt_assemblyai.cli.output import as_text
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.transcript import SpokenWord, Transcript
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn

ROOT = Path(__file__).parents[3]
RATE = 16_000
KNOBS = Knobs(begin_delay_ms=0, throttle=None, format_twin_delay_ms=10, termination_delay_ms=5)
TEA = [
    ScriptedWord("I", 100, 200, 0.1),
    ScriptedWord("would", 200, 300, 0.1),
    ScriptedWord("like", 300, 400, 0.1),
    ScriptedWord("tea.", 400, 500, 0.9),
    ScriptedWord("Thank", 1000, 1100, 0.1),
    ScriptedWord("you.", 1100, 1300, 0.9),
]
SENTENCES = ["I would like tea.", "Thank you."]


def tone(milliseconds: int, rate: int = RATE, channels: int = 1) -> bytes:
    ramp = np.arange(rate * milliseconds // 1000)
    sound = (np.sin(ramp * 2 * np.pi * 440 / rate) * 8000).astype("<i2")
    return np.repeat(sound, channels).tobytes()


def write_wav(path: Path, milliseconds: int, rate: int = RATE, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone(milliseconds, rate, channels))
    return path


def write_mp3(path: Path, milliseconds: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=44_100)
        samples = np.frombuffer(tone(milliseconds, 44_100), "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 44_100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def wav_head(data_bytes: int, *, kind: int = 1, bits: int = 16, junk: bytes = b"") -> bytes:
    chunk = struct.pack("<HHIIHH", kind, 1, RATE, RATE * 2, 2, bits)
    extra = b"LIST" + struct.pack("<I", len(junk)) + junk if junk else b""
    body = b"WAVE" + extra + b"fmt " + struct.pack("<I", 16) + chunk
    return b"RIFF" + struct.pack("<I", 0) + body + b"data" + struct.pack("<I", data_bytes)


@asynccontextmanager
async def program(
    stand_in: AssemblyAIStandIn, *words: str, encoding: str = "utf-8"
) -> AsyncIterator[Process]:
    """The running program; killed at the end if it has not ended."""
    ours = ("ASSEMBLYAI_", "LIVEKIT_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    told = {"ASSEMBLYAI_API_KEY": LOCAL_KEY, "ASSEMBLYAI_BASE_URL": stand_in.url}
    told["PYTHONIOENCODING"] = encoding
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stt_assemblyai", *words),
        cwd=ROOT,
        env=clean | told,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(stand_in: AssemblyAIStandIn, *words: str, fed: bytes = b"") -> tuple[int, str, str]:
    """The exit code, and what stood on standard output and standard error."""
    async with program(stand_in, *words) as process:
        out, err = await process.communicate(fed)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def stand_in() -> AsyncIterator[AssemblyAIStandIn]:
    async with AssemblyAIStandIn(scripts=[TEA], knobs=KNOBS) as running:
        yield running


async def test_a_wav_file_is_printed_sentence_by_sentence_and_nothing_else(
    stand_in: AssemblyAIStandIn, tmp_path: Path
) -> None:
    done = await run(stand_in, str(write_wav(tmp_path / "tea.wav", 1600, 8000, 2)))
    assert done == (0, "I would like tea.\nThank you.\n", "")
    session = stand_in.sessions[0]
    assert ("sample_rate", "8000") in session.query
    assert session.audio_bytes == len(tone(1600, 8000))
    assert session.was_terminated


async def test_a_compressed_file_is_decoded(stand_in: AssemblyAIStandIn, tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "tea.mp3", 1600)
    code, out, err = await run(stand_in, str(path), "--speed", "1.25")
    assert (code, out.splitlines(), err) == (0, SENTENCES, "")
    assert stand_in.sessions[0].audio_bytes >= len(tone(1600))


async def test_json_lines_hold_times_words_and_the_session(
    stand_in: AssemblyAIStandIn, tmp_path: Path
) -> None:
    path = write_wav(tmp_path / "tea.wav", 1600)
    code, out, _ = await run(stand_in, str(path), "--format", "jsonl")
    first, second, end = (json.loads(line) for line in out.splitlines())
    assert code == 0
    assert [line["type"] for line in (first, second, end)] == ["turn", "turn", "end"]
    assert [first["text"], second["text"]] == SENTENCES
    assert (first["start_ms"], first["session_id"]) == (100, stand_in.sessions[0].session_id)
    assert [word["text"] for word in second["words"]] == ["Thank", "you."]
    assert set(first) == {
        *("type", "text", "start_ms", "end_ms", "words", "speaker", "language", "session_id")
    }


async def test_the_last_json_line_tells_what_was_heard_and_what_it_cost(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "tea.wav", 1600)
    async with AssemblyAIStandIn(
        scripts=[TEA, TEA], faults=[Fault(drop_at_ms=100)], knobs=KNOBS
    ) as stand_in:
        code, out, _ = await run(stand_in, str(path), "--format", "jsonl")
    end = json.loads(out.splitlines()[-1])
    assert code == 0
    assert end.pop("billed_seconds") > 0
    assert end == {
        "type": "end",
        "audio_seconds": 1.6,
        "estimated": True,
        "sessions": {"start": 1, "TransientError": 1},
    }


async def test_what_a_refused_transcription_cost_is_told_too() -> None:
    fault = Fault(reject=(1008, "Unauthorized Connection: Invalid API key"))
    async with AssemblyAIStandIn(faults=[fault], knobs=KNOBS) as stand_in:
        code, out, _ = await run(stand_in, "-", "--format=jsonl", fed=tone(300))
    assert code == 1
    assert json.loads(out)["billed_seconds"] == 0


async def test_a_pipe_is_heard_while_it_is_still_being_written(stand_in: AssemblyAIStandIn) -> None:
    async with program(stand_in, "-") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(wav_head(0xFFFF_FFFF) + tone(900))
        assert await process.stdout.readline() == b"I would like tea.\n"
        process.stdin.write(tone(700))
        process.stdin.close()
        assert await process.stdout.readline() == b"Thank you.\n"
        assert await process.wait() == 0


async def test_raw_pcm_is_understood_as_the_options_say(stand_in: AssemblyAIStandIn) -> None:
    words = ("-", "--sample-rate", "8000", "--channels", "2")
    code, out, err = await run(stand_in, *words, fed=tone(1600, 8000, 2))
    assert (code, out.splitlines(), err) == (0, SENTENCES, "")
    assert stand_in.sessions[0].audio_bytes == len(tone(1600, 8000))


async def test_session_options_reach_the_service(stand_in: AssemblyAIStandIn) -> None:
    words = ("--speech-model", "universal-3-6-pro", "--keyterms-prompt", "Aldi,Kofi")
    code, _, _ = await run(stand_in, "-", *words, fed=tone(200))
    assert code == 0
    query = dict(stand_in.sessions[0].query)
    assert query["speech_model"] == "universal-3-6-pro"
    assert json.loads(query["keyterms_prompt"]) == ["Aldi", "Kofi"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_open_sentence_and_the_session(number: signal.Signals) -> None:
    endless = [ScriptedWord(f"w{i}", 100 + 200 * i, 300 + 200 * i, 0.0) for i in range(20)]
    async with (
        AssemblyAIStandIn(scripts=[endless], knobs=KNOBS) as stand_in,
        program(stand_in, "-") as process,
    ):
        assert process.stdin
        process.stdin.write(tone(500))
        session = await stand_in.wait_for_session(0)
        await session.until(lambda session: session.audio_bytes >= len(tone(450)))
        process.send_signal(number)
        out, err = await process.communicate()
        assert process.returncode == 128 + number
        assert out.decode().startswith("w0 w1")
        assert err == b""
        assert session.was_terminated


async def test_a_service_that_never_says_goodbye_does_not_hold_it_up() -> None:
    fault = Fault(never_terminate=True)
    async with (
        AssemblyAIStandIn(scripts=[TEA], faults=[fault], knobs=KNOBS) as stand_in,
        program(stand_in, "-") as process,
    ):
        assert process.stdin
        assert process.stdout
        process.stdin.write(tone(900))
        assert await process.stdout.readline() == b"I would like tea.\n"
        process.send_signal(signal.SIGINT)
        session = stand_in.sessions[0]
        await session.until(lambda session: session.was_terminated)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130


async def test_a_reader_that_goes_away_ends_it_in_order(tmp_path: Path) -> None:
    async with AssemblyAIStandIn(scripts=[TEA], knobs=KNOBS) as stand_in:
        reading, writing = os.pipe()
        os.close(reading)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stt_assemblyai", str(write_wav(tmp_path / "tea.wav", 9000))),
            *("--base-url", stand_in.url, "--api-key", LOCAL_KEY),
            cwd=ROOT,
            stdout=writing,
            stderr=PIPE,
        )
        os.close(writing)
        _, err = await process.communicate()
        assert (process.returncode, err) == (128 + signal.SIGPIPE, b"")
        assert stand_in.sessions[0].was_terminated


async def shell(stand_in: AssemblyAIStandIn, command: str, *words: str) -> tuple[int, str, str]:
    """What a shell makes of the program, "$@", with these words."""
    program = (sys.executable, "-m", "stt_assemblyai", *words)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", command, "bash", *program),
        *("--base-url", stand_in.url, "--api-key", LOCAL_KEY),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_full_disk_is_said_and_ends_with_1(
    stand_in: AssemblyAIStandIn, tmp_path: Path
) -> None:
    path = str(write_wav(tmp_path / "tea.wav", 9000))
    code, _, err = await shell(stand_in, '"$@" > /dev/full', path)
    assert (code, err) == (1, "Standard output cannot be written: No space left on device.\n")
    assert stand_in.sessions[0].was_terminated


@pytest.mark.parametrize(
    ("closing", "code", "says"),
    [
        ("<&-", 3, "Standard input is closed: pipe sound into it.\n"),
        (">&-", 2, "Standard output and standard error have to be open.\n"),
        ("2>&-", 2, ""),
    ],
)
async def test_a_stream_that_is_closed_is_said(
    stand_in: AssemblyAIStandIn, closing: str, code: int, says: str
) -> None:
    assert await shell(stand_in, f'"$@" {closing}', "-") == (code, "", says)


@pytest.mark.parametrize("source", ["/dev/stdin", "fifo"])
async def test_a_pipe_may_be_given_by_its_name(
    stand_in: AssemblyAIStandIn, tmp_path: Path, source: str
) -> None:
    wav, fifo = write_wav(tmp_path / "tea.wav", 1600), tmp_path / "fifo"
    os.mkfifo(fifo)
    command = f'cat "{wav}" | "$@"' if source == "/dev/stdin" else f'cat "{wav}" > "{fifo}" & "$@"'
    name = source if source == "/dev/stdin" else str(fifo)
    assert await shell(stand_in, command, name) == (0, "I would like tea.\nThank you.\n", "")


async def test_a_terminal_is_shown_the_progress_and_standard_output_is_not(
    stand_in: AssemblyAIStandIn, tmp_path: Path
) -> None:
    terminal, its_end = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stt_assemblyai", str(write_wav(tmp_path / "tea.wav", 1600))),
        *("--base-url", stand_in.url, "--api-key", LOCAL_KEY),
        cwd=ROOT,
        stdout=PIPE,
        stderr=its_end,
    )
    out, _ = await process.communicate()
    os.close(its_end)
    shown = os.read(terminal, 65_536).decode()
    os.close(terminal)
    assert out.decode().splitlines() == SENTENCES
    assert "00:01 of 00:02  " in shown
    assert "i would like tea" in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize("fault", [Fault(http_status=503), Fault(never_begin=True)])
async def test_ctrl_c_while_it_has_no_connection_ends_it_at_once(fault: Fault) -> None:
    async with (
        AssemblyAIStandIn(faults=[fault] * 99, knobs=KNOBS) as stand_in,
        program(stand_in, "-") as process,
    ):
        assert process.stdin
        process.stdin.write(tone(500))
        await stand_in.wait_for_session(0)
        asked_at = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert process.returncode == 130
        assert asyncio.get_running_loop().time() - asked_at < 6  # and not the ten of last words


async def test_a_terminal_that_knows_few_letters_is_shown_question_marks() -> None:
    words = [ScriptedWord("\u4f60\u597d", 100, 300, 0.9)]
    async with AssemblyAIStandIn(scripts=[words] * 2, knobs=KNOBS) as stand_in:
        for style, shown in (("text", b"??"), ("jsonl", b"\\u4f60\\u597d")):
            async with program(stand_in, "-", "--format", style, encoding="cp1252") as process:
                out, err = await process.communicate(tone(1600))
            assert (process.returncode, err) == (0, b"")
            assert shown in out


async def test_what_a_terminal_would_obey_is_made_visible() -> None:
    words = [ScriptedWord("\x1b[2Jhello\0", 100, 300, 0.9)]
    async with AssemblyAIStandIn(scripts=[words] * 2, knobs=KNOBS) as stand_in:
        _, text, _ = await run(stand_in, "-", fed=tone(1600))
        _, lines, _ = await run(stand_in, "-", "--format", "jsonl", fed=tone(1600))
    assert text.lower() == "\\u001b[2jhello\\u0000\n"
    assert json.loads(lines.splitlines()[0])["text"].lower() == "\x1b[2jhello\0"


async def test_a_model_of_tomorrow_is_passed_on_with_a_sentence(
    stand_in: AssemblyAIStandIn,
) -> None:
    words = ("--speech-model", "universal-9", "--extra-parameters", "diarizer=v2")
    _, _, err = await run(stand_in, "-", *words, fed=tone(200))
    assert "The speech model universal-9 is not known here; it is passed on as it is.\n" in err
    assert ("diarizer", "v2") in stand_in.sessions[0].query


async def test_what_the_service_refuses_is_said_in_its_own_words_and_ends_with_1() -> None:
    fault = Fault(reject=(1008, "Unauthorized Connection: Invalid API key"))
    async with AssemblyAIStandIn(faults=[fault], knobs=KNOBS) as stand_in:
        code, out, err = await run(stand_in, "-", fed=tone(300))
    assert (code, out) == (1, "")
    assert 'The service says: "Unauthorized Connection: Invalid API key"' in err
    assert "Check ASSEMBLYAI_API_KEY" in err
    assert LOCAL_KEY not in err


async def test_an_interruption_is_said_and_loses_no_words(tmp_path: Path) -> None:
    async with AssemblyAIStandIn(
        scripts=[TEA, TEA], faults=[Fault(drop_at_ms=100)], knobs=KNOBS
    ) as stand_in:
        code, out, err = await run(stand_in, str(write_wav(tmp_path / "tea.wav", 1600)))
    assert (code, out.splitlines()) == (0, SENTENCES)
    assert "Trying again" in err


async def test_all_faults_of_the_command_line_are_named_at_once_and_end_with_2(
    stand_in: AssemblyAIStandIn,
) -> None:
    words = {"format": "xml", "speed": "2", "mode": "balanced", "max-speakers": "x", "api-key": ""}
    words |= {"base-url": "http://x", "encoding": "opus"}
    code, out, err = await run(stand_in, "-", *(f"--{n}={value}" for n, value in words.items()))
    assert (code, out) == (2, "")
    assert {line.partition(":")[0] for line in err.splitlines()} == {f"--{n}" for n in words}
    assert stand_in.sessions == []


@pytest.mark.parametrize("held", [b"", b"RIFF", b"no sound at all, but text", None])
async def test_a_file_without_sound_is_said_and_ends_with_3(
    stand_in: AssemblyAIStandIn, tmp_path: Path, held: bytes | None
) -> None:
    path = tmp_path / "sound"
    if held is not None:
        path.write_bytes(held)
    code, out, err = await run(stand_in, str(path))
    assert (code, out) == (3, "")
    assert err.startswith(str(path))
    assert len(err.splitlines()) == 1
    assert stand_in.sessions == []


@pytest.mark.parametrize(
    ("fed", "says"),
    [
        (b"", "ends before its sound begins"),
        (wav_head(0)[:30], "ends before its sound begins"),
        (wav_head(0), "holds no sound"),
        (wav_head(100, kind=7, bits=8) + b"x" * 100, "other than 16 bit PCM"),
        (b"ID3\4" + b"x" * 100, "takes WAV or raw PCM"),
        (b"\0\0\0\x20ftypM4A " + b"x" * 100, "takes WAV or raw PCM"),
        (b"this is text\n" * 100, "is text, not sound"),
        (b"hello\n", "is text, not sound"),
    ],
)
async def test_standard_input_without_sound_is_said_and_ends_with_3(
    stand_in: AssemblyAIStandIn, fed: bytes, says: str
) -> None:
    code, out, err = await run(stand_in, "-", fed=fed)
    assert (code, out) == (3, "")
    assert says in err
    assert stand_in.sessions == []


async def test_help_names_every_option_and_every_exit_code(stand_in: AssemblyAIStandIn) -> None:
    code, out, _ = await run(stand_in, "--help")
    assert code == 0
    told = " ".join(out.split())
    assert "One of: min_latency, balanced, max_accuracy. Unset: balanced." in told
    assert "50 to 60000. Default: 2400." in told
    assert "Default: text." in told
    for name in SessionOptions.model_fields:
        assert f"--{name.replace('_', '-')}" in out
    assert [word for word in ("0", "1", "2", "3", "130") if f" {word}  " not in out] == []


async def test_neither_livekit_nor_a_decoder_is_loaded_for_wav(tmp_path: Path) -> None:
    code = "import sys, stt_assemblyai.cli.main; print({'livekit', 'av'} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=PIPE, cwd=ROOT
    )
    out, _ = await process.communicate()
    assert out == b"set()\n"


@pytest.mark.parametrize(
    ("rate", "asked", "sent"),
    [(8000, None, 8000), (48_000, None, 48_000), (192_000, None, 16_000), (48_000, 8000, 8000)],
)
async def test_a_file_is_sent_at_its_own_rate_or_at_the_one_asked_for(
    tmp_path: Path, rate: int, asked: int | None, sent: int
) -> None:
    path = write_wav(tmp_path / "sound.wav", 500, rate, 2)
    async with open_input(str(path), sample_rate=asked) as sound:
        heard = b"".join([piece async for piece in sound.pieces])
    assert sound.sample_rate == sent
    assert len(heard) == pytest.approx(len(tone(500, sent)), rel=0.01)
    assert sound.seconds == pytest.approx(0.5, rel=0.01)


def spoken(**fields: Any) -> Transcript:
    return Transcript("s", 0, "Yes.", (SpokenWord("Yes.", 5, 9, 0.5, True, "A"),), **fields)


@pytest.mark.parametrize(("speaker", "line"), [(None, "Yes."), ("A", "A: Yes.")])
def test_a_line_names_the_speaker_where_speakers_are_told_apart(
    speaker: str | None, line: str
) -> None:
    assert as_text(spoken(speaker=speaker)) == line
