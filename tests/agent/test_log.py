"""Log lines."""

import asyncio
import gc
import io
import json
import logging
import sys
import threading

import pytest
from livekit.agents import APIError

from agent import log
from agent.call.models.errors import UnavailableError
from agent.call.reply.refusals import NothingSpokenError

pytestmark = pytest.mark.usefixtures("_restored_logging")


def lines_of(style: str, *, transcripts: bool = False) -> io.StringIO:
    stream = io.StringIO()
    log.configure("info", style, transcripts=transcripts, stream=stream)  # type: ignore[arg-type]
    return stream


def test_a_json_line_holds_the_message_and_its_fields() -> None:
    stream = lines_of("json")
    logging.getLogger("agent").info("call ended", extra={"seconds": 3})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "agent", "message": "call ended", "seconds": 3}


def test_what_people_said_is_left_out_unless_the_operator_wants_it() -> None:
    for style in ("json", "text"):
        for wanted in (False, True):
            stream = lines_of(style, transcripts=wanted)
            logging.getLogger("agent").info("turn", extra={"lk.pii.user_transcript": "my card is"})
            assert ("my card is" in stream.getvalue()) is wanted


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("wanted", [False, True])
def test_words_for_which_there_was_no_sound_are_in_no_line(style: str, wanted: bool) -> None:
    stream = lines_of(style, transcripts=wanted)
    error = APIError("no audio frames were pushed for text: Your card is\n4242.")
    logging.getLogger("livekit.agents").warning("failed: %s, retrying", error)
    logging.getLogger("agent").error("a provider failed", extra={"error": str(error)})
    logging.getLogger("livekit.agents").error("a task failed", exc_info=error)
    assert [("4242" in line) for line in stream.getvalue().splitlines()].count(True) == 3 * wanted


def test_a_line_break_in_a_name_does_not_make_a_line_of_its_own() -> None:
    for style in ("json", "text"):
        stream = lines_of(style)
        logging.getLogger("agent").info("caller\nforged", extra={"caller": "x\n12:00 ERROR forged"})
        assert len(stream.getvalue().splitlines()) == 1


HOSTILE = {
    "a line of its own": "x\n12:00:00.000 ERROR   forged",
    "a carriage return": "x\rforged",
    "a terminal's colours": "x\x1b[2J\x1b[31mforged",
    "an eight-bit terminal's colours": "x\x9b31mforged",
    "unicode's own line breaks": "x\u2028forged\x85forged",
    "writing from right to left": "x\u202eforged",
    "half a character": "x\ud800forged",
    "a megabyte": "x" * 1_000_000,
}


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_comes_from_a_room_is_shown_and_not_obeyed(name: str, style: str) -> None:
    stream = lines_of(style)
    logger = logging.getLogger("agent")
    logger.info("came: %s", name, extra={"participant": name})
    logger.error("failed", exc_info=ValueError(name[:100]))
    written = stream.getvalue()
    written.encode()
    assert len(written) < 20_000
    assert all(line.isprintable() for line in written.split("\n"))
    begun = [line for line in written.splitlines() if not line.startswith("    ")]
    assert len(begun) == 2


def test_a_stranger_cannot_fill_the_log_with_streams_that_nobody_reads() -> None:
    stream = lines_of("json")
    logging.info("ignoring text stream with topic '%s', no callback attached", "x" * 100)  # noqa: LOG015  as livekit.rtc says it
    assert stream.getvalue() == ""


def test_output_that_is_not_a_terminal_is_json_by_itself() -> None:
    stream = lines_of("auto")
    logging.getLogger("agent").warning("x")
    assert json.loads(stream.getvalue())["level"] == "warning"


def test_a_stack_is_part_of_the_json_line() -> None:
    stream = lines_of("json")
    try:
        int("broken")
    except ValueError:
        logging.getLogger("agent").exception("it failed")
    assert "ValueError: invalid" in json.loads(stream.getvalue())["stack"]


async def test_a_speech_that_was_lost_is_one_sentence_and_another_fault_keeps_its_stack() -> None:
    async def fail(error: Exception) -> None:
        raise error

    stream = lines_of("json")
    for error in (NothingSpokenError(), UnavailableError("down"), ValueError("broken")):
        task = asyncio.create_task(fail(error))
        await asyncio.wait([task])
        del task
        gc.collect()
    *lost, fault = map(json.loads, stream.getvalue().splitlines())
    assert [(each["level"], each["message"], each["error"]) for each in lost] == [
        ("warning", "a speech was lost", "Nothing of a speech could be spoken."),
        ("warning", "a speech was lost", "down"),
    ]
    assert not any("stack" in each for each in lost)
    assert "ValueError: broken" in fault["stack"]


def test_a_server_that_is_away_is_one_line_and_so_is_the_next_time() -> None:
    stream = lines_of("json")
    logger = logging.getLogger("livekit.agents")
    for _ in range(2):
        for seconds in (0, 2, 4):
            logger.warning(f"failed to connect to livekit, retrying in {seconds}s")  # noqa: G004  as LiveKit says it
        logger.info("registered worker")
    told = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert told == ["failed to connect to livekit, retrying in 0s", "registered worker"] * 2


def test_probes_of_the_health_page_are_no_lines() -> None:
    stream = lines_of("json")
    logging.getLogger("aiohttp.access").info('127.0.0.1 "GET / HTTP/1.1" 200')
    assert stream.getvalue() == ""


def test_arguments_that_do_not_fit_cost_no_more_than_the_line() -> None:
    stream = lines_of("json")
    logging.getLogger("stranger").warning("%d %s", "x")
    assert json.loads(stream.getvalue())["message"] == "%d %s (with other arguments)"


def test_what_nobody_catches_is_a_log_line() -> None:
    stream = io.StringIO()
    log.configure("info", "json", secrets=["a-secret-of-some-length"], stream=stream)
    error = ValueError("refused: a-secret-of-some-length")
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=int, args=("a-secret-of-some-length",))
    thread.start()
    thread.join()
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert "ValueError: refused: ********" in first["stack"]
    assert "ValueError: invalid literal" in second["stack"]
    assert "a-secret" not in stream.getvalue()


def test_a_callers_lines_can_be_found_by_the_hash_of_the_identity() -> None:
    # printf %s sip_+15550100 | sha256sum | cut -c 1-12
    assert log.pseudonym("sip_+15550100") == "ceb8c8b309b2"
