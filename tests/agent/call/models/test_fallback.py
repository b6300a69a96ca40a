"""Which provider a request goes to, when it is tried again, and when it is given up.

Models are names here: what `ask` does with one is the test's. Time is virtual.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import APIError, APIStatusError

from agent.call.models.back_off import Patience
from agent.call.models.errors import (
    BrokenOffError,
    ContentRefusedError,
    ModelError,
    RefusedError,
    UnavailableError,
)
from agent.call.models.fallback import Progress, Provider, Providers
from agent.call.reports import Outcome
from agent.records.schema import Attempt

pytestmark = pytest.mark.looptime

FIRST, SECOND = SimpleNamespace(model="first"), SimpleNamespace(model="second")
PATIENCE = Patience(attempt_seconds=4, whole_seconds=20)


class Line:
    """Providers, and which of them was asked when."""

    def __init__(self, *models: Any, is_speech: bool = False) -> None:
        self.asked: list[str] = []
        self.faults: dict[str, list[Exception | None]] = {"first": [], "second": []}
        """What each does, one request after the other; then it answers."""
        self.begins_first = False
        self.providers: Providers[Any] = Providers(
            [Provider(model, f"{model.model}.example") for model in models or (FIRST, SECOND)],
            PATIENCE,
            is_speech=is_speech,
            jitter=lambda: 0.0,
        )

    async def answer(self, model: Any, progress: Progress) -> None:
        self.asked.append(model.model)
        faults = self.faults[model.model]
        fault = faults.pop(0) if faults else None
        if self.begins_first or fault is None:
            progress.begin()
        if fault is not None:
            raise fault

    async def hang(self, model: Any, progress: Progress) -> None:
        self.asked.append(model.model)
        await asyncio.sleep(1000)

    async def ask(self) -> list[str]:
        """Ask once; who was asked for it."""
        before = len(self.asked)
        await self.providers.ask(self.answer)
        return self.asked[before:]

    async def fails(self) -> ModelError:
        with pytest.raises(ModelError) as caught:
            await self.providers.ask(self.answer)
        return caught.value


def status(code: int) -> APIError:
    return APIStatusError("m", status_code=code, body=None)


async def test_the_first_is_asked_and_nobody_else() -> None:
    assert await Line().ask() == ["first"]


async def test_the_fallback_answers_for_one_that_fails_and_is_then_asked_first() -> None:
    line = Line()
    line.faults["first"] = [status(503)]
    assert await line.ask() == ["first", "second"]
    assert line.providers.next is SECOND
    assert await line.ask() == ["second"]


async def test_each_try_is_told_with_its_outcome() -> None:
    line, told = Line(), []
    line.providers.listeners += [told.append, lambda _: None]
    line.faults["first"] = [status(503), status(401)]
    await line.ask()
    line.providers.probe(line.answer)
    await asyncio.sleep(1)
    assert [(each.outcome, each.in_background) for each in told] == [
        (Outcome.BUSY, False),
        (Outcome.ANSWERED, False),
        (Outcome.REFUSED, True),
    ]


async def test_one_that_is_down_is_asked_in_the_background_until_it_answers() -> None:
    line = Line()
    line.faults["first"] = [status(503), status(503)]
    await line.ask()
    for _ in range(2):
        line.providers.probe(line.answer)
        line.providers.probe(line.answer)  # one at a time
        await asyncio.sleep(1)
    assert line.asked == ["first", "second", "first", "first"]
    assert line.providers.next is FIRST
    line.providers.probe(line.answer)
    await asyncio.sleep(1)
    assert len(line.asked) == 4


async def test_one_that_asks_to_be_left_alone_is() -> None:
    line = Line()
    line.faults["first"] = [
        APIStatusError("m", status_code=429, body={"retry_after_seconds": 30.0})
    ]
    await line.ask()
    line.providers.probe(line.answer)
    await asyncio.sleep(1)
    assert line.asked == ["first", "second"]
    await asyncio.sleep(30)
    line.providers.probe(line.answer)
    await asyncio.sleep(1)
    assert line.providers.next is FIRST


async def test_asking_in_the_background_ends_with_the_call() -> None:
    line = Line()
    line.faults["first"] = [status(503)]
    await line.ask()
    line.providers.probe(line.hang)
    await asyncio.sleep(0)
    await line.providers.aclose()
    assert line.providers.next is SECOND


def repeated(fault: Exception) -> Callable[[Line], None]:
    def prepare(line: Line) -> None:
        line.faults = {"first": [fault] * 100, "second": [fault] * 100}

    return prepare


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(503), UnavailableError),
        (status(401), RefusedError),
        (
            APIStatusError("m", status_code=400, body={"code": "content_filter"}),
            ContentRefusedError,
        ),
    ],
)
async def test_what_nobody_answers_is_one_error_that_names_each(
    fault: Exception, said: type[ModelError]
) -> None:
    line = Line()
    repeated(fault)(line)
    error = await line.fails()
    assert type(error) is said
    assert "first at first.example: HTTP" in error.message
    assert "second at second.example: HTTP" in error.message


async def test_silence_counts_as_busy_and_the_whole_is_bounded() -> None:
    line = Line()
    begun = asyncio.get_running_loop().time()
    with pytest.raises(UnavailableError, match="it took too long"):
        await line.providers.ask(line.hang)
    passed = asyncio.get_running_loop().time() - begun
    assert passed <= PATIENCE.whole_seconds + PATIENCE.attempt_seconds


async def test_an_answer_that_has_begun_has_all_the_time() -> None:
    async def slow(model: Any, progress: Progress) -> None:
        progress.begin()
        await asyncio.sleep(100)

    await Line().providers.ask(slow)


async def test_an_answer_that_breaks_off_is_not_begun_again() -> None:
    line = Line()
    line.begins_first = True
    line.faults["first"] = [status(503)]
    assert isinstance(await line.fails(), BrokenOffError)
    assert line.asked == ["first"]


async def test_a_refusal_in_mid_answer_is_about_the_text() -> None:
    line = Line()
    line.begins_first = True
    line.faults["first"] = [APIStatusError("m", status_code=400, body={"code": "content_filter"})]
    error = await line.fails()
    assert isinstance(error, ContentRefusedError)
    assert error.has_begun


async def test_a_sentence_that_breaks_off_is_spoken_once_more() -> None:
    line = Line(is_speech=True)
    line.begins_first = True
    line.faults["first"] = [status(503)]
    assert await line.ask() == ["first", "second"]
    both = Line(is_speech=True)
    both.begins_first = True
    repeated(status(503))(both)
    assert isinstance(await both.fails(), BrokenOffError)
    assert both.asked == ["first", "second"]


async def test_what_we_have_decided_ourselves_is_not_tried_again() -> None:
    line = Line()
    line.faults["first"] = [RefusedError("enough")]
    assert (await line.fails()).message == "enough"
    assert line.asked == ["first"]


async def test_each_attempt_is_told_with_its_place_its_time_and_its_failure() -> None:
    line, told = Line(), []
    line.providers.listeners.append(lambda tried: told.append(tried.attempt))
    line.faults["first"] = [status(503)]
    await line.ask()
    assert told == [
        Attempt(provider="first.example/first", took_for_ms=0, error="unavailable"),
        Attempt(provider="second.example/second", took_for_ms=0),
    ]


async def test_an_answer_took_until_it_began_and_a_timeout_its_whole_time() -> None:
    async def slow(_: Any, progress: Progress) -> None:
        await asyncio.sleep(0.5)
        progress.begin()
        progress.begin()
        await asyncio.sleep(2)

    line, told = Line(FIRST), []
    line.providers.listeners.append(lambda tried: told.append(tried.attempt))
    await line.providers.ask(slow)
    with pytest.raises(ModelError):
        await line.providers.ask(line.hang)
    assert (told[0].took_for_ms, told[0].error) == (500, None)
    assert {each.error for each in told[1:]} == {"timeout"}


def test_a_place_is_the_host_and_the_model() -> None:
    assert Provider(cast("Any", FIRST), "https://api.example/v1").place == "api.example/first"
