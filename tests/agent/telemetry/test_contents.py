"""What may leave in a span."""

from typing import Any

import pytest
from livekit.agents.telemetry import pii, trace_types
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status, StatusCode

from agent.personal_data import Rules
from agent.telemetry.contents import EVENTS, GEN_AI, Contents, is_content

KEY = "sk-planted-0123456789abcdef"
NAMES = {
    value
    for name, value in vars(trace_types).items()
    if name.startswith("ATTR_") and isinstance(value, str)
}

MAY_LEAVE = {
    # LiveKit's attributes whose values are neither numbers nor ids, each looked at.
    "lk.blocking.stack": "source locations, no values",
    "lk.stt.events": "times, types and lengths",
    "lk.llm_metrics": "figures and ids",
    "lk.tts_metrics": "figures and ids",
    "lk.realtime_model_metrics": "figures and ids",
    "lk.shutdown.reason": "ours",
    "lk.function_tools": "names of tools",
    "lk.amd.reason": "not used here: an outbound call's answering machine",
}


def span(**given: Any) -> ReadableSpan:
    return ReadableSpan(**{"name": "llm_node", "status": Status(), **given})


def test_livekits_names_for_contents_are_all_known() -> None:
    """A release that adds one fails here."""
    assert MAY_LEAVE.keys() <= NAMES
    assert {name for name in NAMES if pii.is_pii_attribute(name)} <= {
        name for name in NAMES if is_content(name)
    }
    assert GEN_AI >= pii.GEN_AI_PII_ATTRIBUTES
    assert EVENTS >= pii.PII_EVENT_NAMES


@pytest.mark.parametrize(
    "name",
    [
        "lk.pii.user_transcript",
        "operator.pii.anything",
        "gen_ai.input.messages",
        "gen_ai.prompt.variable.name",
        "exception.message",
        "exception.stacktrace",
        "lk.rpc.caller_identity",
        "lk.sip.h.X-Customer",
    ],
)
def test_what_was_said_and_who_said_it_is_content(name: str) -> None:
    assert is_content(name)


@pytest.mark.parametrize(
    "name",
    ["exception.type", "gen_ai.request.model", "lk.sip.callID", "lk.e2e_latency", *MAY_LEAVE],
)
def test_figures_ids_and_names_of_models_are_none(name: str) -> None:
    assert not is_content(name)


def test_a_span_leaves_without_contents() -> None:
    found = Contents((), wanted=False).without(
        span(
            attributes={"lk.pii.user_input": "zorilla", "lk.e2e_latency": 0.5, "tools": ("a", "b")},
            events=[
                Event("gen_ai.user.message", {"content": "zorilla"}),
                Event("exception", {"exception.message": "zorilla", "exception.type": "E"}),
            ],
            status=Status(StatusCode.ERROR, "zorilla"),
        )
    )
    assert found.attributes == {"lk.e2e_latency": 0.5, "tools": ("a", "b")}
    assert [(each.name, each.attributes) for each in found.events] == [
        ("exception", {"exception.type": "E"})
    ]
    assert (found.status.status_code, found.status.description) == (StatusCode.ERROR, None)


def test_contents_leave_where_they_are_wanted() -> None:
    said = {"lk.pii.user_input": "zorilla", "exception.message": "no zorilla"}
    given = span(
        attributes=said,
        events=[Event("gen_ai.user.message", {"content": "zorilla"})],
        status=Status(StatusCode.ERROR, "no zorilla"),
    )
    found = Contents((), wanted=True).without(given)
    assert found.attributes == said
    assert [each.attributes for each in found.events] == [{"content": "zorilla"}]
    assert found.status.description == "no zorilla"


@pytest.mark.parametrize("wanted", [True, False])
def test_no_secret_leaves_either_way(wanted: bool) -> None:
    given = span(
        name=f"GET {KEY}",
        attributes={"url": f"https://x?k={KEY}", "all": (f"a {KEY}", "b"), "n": 1},
        status=Status(StatusCode.ERROR, f"refused {KEY}"),
    )
    found = Contents({KEY}, wanted=wanted).without(given)
    assert found.name == "GET ********"
    assert found.attributes == {"url": "https://x?k=********", "all": ("a ********", "b"), "n": 1}
    assert KEY not in (found.status.description or "")


def test_a_long_history_leaves_whole() -> None:
    """It is JSON: cut short, no tool could read it."""
    long = {"gen_ai.input.messages": '[{"role": "user"}, ' + "x" * 5000 + "]"}
    assert Contents((), wanted=True).attributes(long) == long


def test_a_span_without_attributes_stays_without() -> None:
    assert Contents((), wanted=False).attributes(None) == {}


def test_the_span_that_is_given_stays_as_it_is() -> None:
    given = span(attributes={"lk.pii.user_input": "zorilla"})
    Contents((), wanted=False).without(given)
    assert given.attributes == {"lk.pii.user_input": "zorilla"}


def test_numbers_leave_in_no_content_where_they_are_not_kept() -> None:
    given = span(attributes={"lk.pii.user_input": "call 555 0100", "n": 5550100})
    found = Contents((), wanted=True, rules=Rules(personal=True)).without(given)
    assert found.attributes == {"lk.pii.user_input": "call [number]", "n": 5550100}
