"""The wire scenarios of protocol notes, section 15, each as something that happens to a caller.

The stand-in's faults make them happen; what is asked of a client is the same for both.
"""

from dataclasses import replace

from workbench.bench.compare import figures as f
from workbench.bench.compare.scenario import Scenario
from workbench.bench.compare.spoken import say, sentences
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs

__all__ = ["SCENARIOS", "SHORT"]

US = "universal-streaming-english"
U3 = "universal-3-6-pro"
_ORDER = say("Could you book two tickets for Paris. Leaving tomorrow morning.")
_UNTIL_MID_TURN = 1500
_CANCELLED = (3005, "Session Cancelled: An error occurred")
_FULL = "Too many concurrent sessions"


def _us(**parameters: object) -> dict[str, object]:
    return {"model": US, "format_turns": False, **parameters}


_HAPPY = Scenario(
    "1",
    "US model, without formatting",
    _ORDER,
    (f.WORDS, f.TURNS, f.START, f.FINAL_AFTER, f.FINAL),
    parameters=_us(),
)
_FORMATTED = replace(_HAPPY, title="US model, with formatting", parameters=_us(format_turns=True))
_NO_TWIN = replace(
    _FORMATTED,
    title="US model, formatted texts asked for that never come",
    faults=(Fault(never_twin=True),),
)
_REWRITTEN = Scenario(
    "2",
    "U3 model: a pause in mid-sentence, words rewritten while they are spoken",
    say("I would like a table, for seven people please.", drafts=True, pause_ms=1000),
    (f.WORDS, f.TURNS, f.START, f.LEAD, f.FINAL),
    parameters={"model": U3, "mode": "balanced"},
)
_BAD_KEY = Scenario(
    "3",
    "A key that the service does not know",
    _ORDER,
    (f.CONNECTS, f.ERROR),
    api_key="no-such-key",
    parameters=_us(),
)
_RATE_LIMITED = Scenario(
    "4",
    "Too many new sessions (1008), a place becomes free after 10 s",
    _ORDER,
    (f.WORDS, f.CONNECTS, f.ERROR),
    faults=(Fault(reject=(1008, f"Unauthorized Connection: {_FULL}")),) * 40,
    faults_until_seconds=10,
    parameters=_us(),
    limit_seconds=33,
)
_RATE_LIMITED_3009 = replace(
    _RATE_LIMITED,
    title="The same, said as 3009",
    faults=(Fault(reject=(3009, _FULL)),) * 40,
)
_BAD_PARAMETER = Scenario(
    "5",
    "The service refuses a parameter",
    _ORDER,
    (f.CONNECTS, f.ERROR),
    faults=(Fault(reject=(3006, "Invalid 'speech_model': no such model on this account")),) * 40,
    parameters=_us(),
)
_TOO_MANY_TERMS = Scenario(
    "5",
    "130 key terms, of which the service takes 100",
    _ORDER,
    (f.CONNECTS, f.ERROR),
    parameters=_us(keyterms_prompt=[f"term {n}" for n in range(130)]),
)
_SHORT_FRAMES = Scenario(
    "6",
    "Frames of 20 ms at 22050 Hz",
    _ORDER,
    (f.WORDS, f.CONNECTS, f.FRAMES, f.ERROR),
    parameters=_us(),
    sample_rate=22_050,
    frame_ms=20,
)
_LONG_FRAMES = Scenario(
    "6",
    "Frames of 1200 ms",
    _ORDER,
    (f.WORDS, f.CONNECTS, f.FRAMES, f.ERROR),
    parameters=_us(),
    frame_ms=1200,
)
_DROP = Scenario(
    "7",
    "The connection breaks off in mid-turn",
    _ORDER,
    (f.WORDS, f.TURNS, f.CONNECTS, f.FINAL_AFTER, f.FINAL),
    faults=(Fault(drop_at_ms=_UNTIL_MID_TURN),),
    parameters=_us(),
)
_HALF_OPEN = Scenario(
    "8",
    "The connection dies without a sign (half-open)",
    _ORDER,
    (f.WORDS, f.TURNS, f.CONNECTS, f.FINAL_AFTER, f.ERROR),
    faults=(Fault(half_open_at_ms=_UNTIL_MID_TURN),),
    parameters=_us(),
    limit_seconds=20,
)
_SLOW = Scenario(
    "9",
    "The handshake takes 3 s",
    _ORDER,
    (f.WORDS, f.BURST, f.FINAL_AFTER),
    faults=(Fault(upgrade_delay_ms=3000),),
    parameters=_us(),
)
_EXPIRY = Scenario(
    "10",
    "Sessions may last 35 s; somebody speaks for 75",
    say(sentences(75)),
    (f.WORDS, f.TURNS, f.CONNECTS, f.CLOSES, f.ERROR),
    knobs=Knobs(session_cap_seconds=35),
    parameters=_us(),
    limit_seconds=90,
)
_IDLE = Scenario(
    "11",
    "The service ends an idle session (3006)",
    _ORDER,
    (f.WORDS, f.CONNECTS, f.ERROR),
    faults=(
        Fault(
            error_at_ms=_UNTIL_MID_TURN,
            error=(3006, "Session terminated due to inactivity: No messages received for 5 s"),
        ),
    ),
    parameters=_us(),
)
_BAD_UPDATE = replace(
    _IDLE,
    title="The service refuses a message (3006), each time",
    figures=(f.CONNECTS, f.ERROR),
    faults=(
        Fault(
            error_at_ms=_UNTIL_MID_TURN,
            error=(3006, "User Input Validation Error: prompt is too long"),
        ),
    )
    * 40,
)
_EMPTY_FINAL = Scenario(
    "12",
    "An empty final without a language at the end",
    _ORDER,
    (f.WORDS, f.TURNS, f.EMPTY, f.LOGGED),
    faults=(Fault(empty_final=True),),
    parameters=_us(),
)
_NO_LANGUAGE = replace(
    _EMPTY_FINAL,
    title="The language of every turn is null",
    figures=(f.WORDS, f.FINAL, f.LOGGED),
    faults=(Fault(extra_fields={"language_code": None}),),
)
_NEWS = Scenario(
    "13",
    "Warning, Heartbeat, a type of tomorrow, fields that nobody knows",
    _ORDER,
    (f.WORDS, f.TURNS, f.CONNECTS, f.LOGGED),
    faults=(
        Fault(
            extra_fields={"added_tomorrow": {"a": 1}},
            extra_messages=(
                (500, {"type": "Warning", "warning_code": 1, "warning": "Low volume"}),
                (700, {"type": "Heartbeat", "total_audio_received_ms": 700}),
                (900, {"type": "FooBar"}),
            ),
        ),
    ),
    parameters=_us(),
)
_LATE_GOODBYE = Scenario(
    "14",
    "The input ends in mid-turn, and the Termination takes 6 s",
    _ORDER,
    (f.WORDS, f.TURNS, f.ENDING, f.USAGE),
    faults=(Fault(termination_delay_ms=6000),),
    parameters=_us(),
    hang_up_at_ms=4650,
)
_NO_GOODBYE = replace(
    _LATE_GOODBYE,
    title="The input ends in mid-turn, and no Termination comes",
    faults=(Fault(never_terminate=True),),
)
_HANG_UP = replace(
    _LATE_GOODBYE,
    title="The application closes the stream in mid-turn",
    faults=(),
    ending="aclose",
)
_MUTE = Scenario(
    "15",
    "The track is muted in mid-turn; the line stays open for 8 s",
    say("Could you book two tickets for"),
    (f.WORDS, f.TURNS, f.TURN_ENDS),
    parameters=_us(),
    mute_from_ms=2100,
    hang_up_at_ms=8000,
)
_HTTP_401 = Scenario(
    "16",
    "HTTP 401 instead of a session",
    _ORDER,
    (f.CONNECTS, f.ERROR),
    faults=(Fault(http_status=401),) * 40,
    parameters=_us(),
)
_HTTP_429 = replace(
    _RATE_LIMITED,
    number="16",
    title="HTTP 429 for 10 s",
    faults=(Fault(http_status=429),) * 40,
)
_HTTP_503 = Scenario(
    "16",
    "HTTP 503 for 6 s",
    _ORDER,
    (f.WORDS, f.CONNECTS, f.ERROR),
    faults=(Fault(http_status=503),) * 40,
    faults_until_seconds=6,
    parameters=_us(),
    limit_seconds=20,
)
_REFUSED = replace(
    _HTTP_503,
    title="TCP refuses for 6 s",
    figures=(f.WORDS, f.ERROR),
    faults=(),
    faults_until_seconds=None,
    refused_until_seconds=6,
)
_SPEAKERS = Scenario(
    "17",
    "A speaker is known only at the end",
    say("Yes please.", speaker="B"),
    (f.WORDS, f.SPEAKERS, f.REVISED),
    parameters=_us(speaker_labels=True),
)
_CANCELLED_THRICE = Scenario(
    "18",
    "The service cancels three sessions (3005) and then works",
    _ORDER,
    (f.WORDS, f.TURNS, f.CONNECTS, f.ERROR, f.FINAL_AFTER),
    faults=(Fault(error_at_ms=_UNTIL_MID_TURN, error=_CANCELLED),) * 3,
    parameters=_us(),
    limit_seconds=25,
)

_NO_WORDS = Scenario(
    "19",
    "A turn's words are empty; its transcript is there",
    _ORDER,
    (f.WORDS, f.TURNS, f.CONNECTS, f.ERROR, f.LOGGED),
    faults=(Fault(changed_fields={"Turn": {"words": []}}),),
    parameters=_us(),
)
_NULL_CONFIDENCE = replace(
    _NO_WORDS,
    title="The confidence of every word is null",
    faults=(Fault(changed_words={"confidence": None}),),
)
_ODD_BEGIN = replace(
    _NO_WORDS,
    title="Begin has its time of expiry as text, and no id",
    faults=(Fault(changed_fields={"Begin": {"expires_at": "2030-01-01T00:00:00Z", "id": None}}),),
)
_CLOCK_AHEAD = replace(
    _NO_WORDS,
    title="The host's clock is years ahead of the service's",
    faults=(Fault(changed_fields={"Begin": {"expires_at": 1_600_000_000}}),) * 40,
)

SHORT = (_BAD_KEY, _BAD_PARAMETER, _TOO_MANY_TERMS, _EMPTY_FINAL)
"""A few that are over in seconds, for the tests."""

SCENARIOS = (
    _HAPPY,
    _FORMATTED,
    _NO_TWIN,
    _REWRITTEN,
    _BAD_KEY,
    _RATE_LIMITED,
    _RATE_LIMITED_3009,
    _BAD_PARAMETER,
    _TOO_MANY_TERMS,
    _SHORT_FRAMES,
    _LONG_FRAMES,
    _DROP,
    _HALF_OPEN,
    _SLOW,
    _EXPIRY,
    _IDLE,
    _BAD_UPDATE,
    _EMPTY_FINAL,
    _NO_LANGUAGE,
    _NEWS,
    _LATE_GOODBYE,
    _NO_GOODBYE,
    _HANG_UP,
    _MUTE,
    _HTTP_401,
    _HTTP_429,
    _HTTP_503,
    _REFUSED,
    _SPEAKERS,
    _CANCELLED_THRICE,
    _NO_WORDS,
    _NULL_CONFIDENCE,
    _ODD_BEGIN,
    _CLOCK_AHEAD,
)
