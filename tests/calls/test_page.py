"""The page in which one talks to the agent, in Chromium as Debian ships it, with a real worker."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.async_playwright import Axe
from livekit import api, rtc
from playwright.async_api import Browser, Locator, Page, expect

from agent.caller.microphone import SAMPLE_RATE
from agent.playground.server import playground
from agent.room_names import Attribute
from agent.viewer.served import page_of_room
from config.project import Project
from config.services import LiveKitSettings
from workbench.local.browsers import HEARD, KEEP_CONNECTIONS, chromium, marked, write_microphone
from workbench.local.calling.corpus import dickens, synthesised
from workbench.local.running import PROJECT
from workbench.local.workers import Places, Worker

ARTIFACTS = PROJECT / "artifacts" / "page"
GREETING = "Hello, this is Alex. How can I help you?"
SERIOUS = ("serious", "critical")
# The microphone is silent until the agent has said its greeting.
LEAD_SECONDS = 6.0
# The agent answers about a second after the sentence, and speaks for four.
BARGE_IN_SECONDS = 2.8
SECONDS = 1000.0  # playwright counts milliseconds

Open = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
def opened(places: Places, worker: Worker) -> Open:
    """The page of a project with this worker, in a window of its own."""
    access = places.access
    livekit = LiveKitSettings.model_validate(
        {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
    )
    project = Project(livekit, worker.agent_name)

    @asynccontextmanager
    async def opened(
        browser: Browser, agent_name: str = "", records: Path | None = None, **window: Any
    ) -> AsyncIterator[Page]:
        asked = replace(project, agent_name=agent_name or project.agent_name)
        recorded = partial(page_of_room, records) if records else None
        async with playground(asked, records=recorded) as address:
            context = await browser.new_context(**window)
            await context.add_init_script(KEEP_CONNECTIONS)
            page = await context.new_page()
            await page.goto(address)
            yield page
            await context.close()

    return opened


async def picture(page: Page, name: str) -> None:
    """Keep what the page shows, with a mark that says of which look it is."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    shown = await page.screenshot()
    (ARTIFACTS / f"{name}.png").write_bytes(marked(shown))


async def assert_accessible(page: Page) -> None:
    found = (await Axe().run(page)).response["violations"]
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, json.dumps(serious, indent=1)


async def heard_since(page: Page, before: float) -> None:
    """Return once the agent has been audible since the energy was `before`."""
    await page.wait_for_function(
        f"async () => await {HEARD} > {before} + 0.001", timeout=10 * SECONDS
    )


async def test_a_spoken_question_is_answered_aloud_and_the_next_caller_waits_until_it_is_over(
    opened: Open, start_worker: Any, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    worker = await start_worker(
        AGENT_GREETING=GREETING, AGENT_MAX_CALLS="1", AGENT_RECORD_DIR=str(records)
    )
    question = synthesised("What is seven plus five?").samples
    microphone = write_microphone(tmp_path / "question.wav", question, lead_seconds=LEAD_SECONDS)
    window = {"viewport": {"width": 860, "height": 680}}
    async with (
        chromium(microphone) as browser,
        opened(browser, worker.agent_name, records, **window) as page,
    ):
        await assert_accessible(page)
        await page.click("#start")
        lines = page.locator("#lines li")
        await expect(lines.nth(0)).to_contain_text(GREETING, timeout=20 * SECONDS)
        await expect(page.locator("#status")).to_have_text("Listening", timeout=10 * SECONDS)
        energy = await page.evaluate(HEARD)
        assert energy > 0.001  # the greeting was heard
        await expect(lines.nth(1)).to_contain_text("What is 7 plus 5?", timeout=20 * SECONDS)
        await expect(lines.nth(2)).to_contain_text("twelve", timeout=20 * SECONDS)
        await heard_since(page, energy)
        await shows_where_the_time_went(lines.nth(2))
        await page.click("#mute")
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        await page.click("#more")
        await page.click("text=Patient")
        await expect(page.locator("body")).to_have_attribute("data-preset", "conservative")
        await page.click("[data-digit='5']")
        await expect(page.locator("#pressed")).to_have_text("5")
        await picture(page, "settings")
        await assert_accessible(page)
        await page.click("#more")
        await page.fill("#text", "What is two plus two?")
        await page.press("#text", "Enter")
        await expect(lines.nth(4)).to_contain_text("four", timeout=20 * SECONDS)
        assert await page.locator("#notice").text_content() == ""
        await picture(page, "call")

        async with opened(browser, worker.agent_name) as waiting:
            await is_told_that_nobody_is_free(waiting)
            await page.click("#hang-up")
            await expect(page.locator("#status")).to_have_text("You hung up.")
            await expect(page.locator("#start")).to_be_focused()
            await leads_to_the_record(page)
            await is_answered_now(waiting)


async def shows_where_the_time_went(line: Locator) -> None:
    """Under a spoken answer stand its stages, which make up what the page has measured."""
    await expect(line.locator(".stage")).to_have_count(4, timeout=10 * SECONDS)
    figures = [
        [float(word) for word in text.split() if re.fullmatch(r"[0-9.]+", word)]
        for text in await line.locator(".total, .stage").all_text_contents()
    ]
    [total], *stages = figures
    assert 0.2 < total < 8
    assert sum(stage for [stage] in stages) == pytest.approx(total, abs=0.3)


async def leads_to_the_record(page: Page) -> None:
    """After a call that was recorded here, its own page is a click away."""
    await expect(page.locator("#record")).to_be_visible(timeout=10 * SECONDS)
    await picture(page, "over")
    async with page.context.expect_page() as opening:
        await page.click("#record")
    record = await opening.value
    await expect(record.locator("body")).to_contain_text("Seven plus five is twelve.")
    await picture(record, "record")
    await record.close()


async def is_told_that_nobody_is_free(page: Page) -> None:
    """The page of a second caller, where the worker has room for one, shows and says so."""
    await page.click("#type")
    status = page.locator("#status")
    await expect(status).to_contain_text("All agents are busy", timeout=20 * SECONDS)
    await heard_since(page, 0)
    assert await page.locator("#lines li").count() == 0
    assert await page.locator("#notice").text_content() == ""
    await picture(page, "busy")


async def is_answered_now(page: Page) -> None:
    """The same page, when the first caller has left, shows an agent and hears it."""
    status, lines = page.locator("#status"), page.locator("#lines li")
    await expect(status).to_have_text("Speaking", timeout=30 * SECONDS)
    energy = await page.evaluate(HEARD)
    await expect(lines.nth(0)).to_contain_text(GREETING, timeout=10 * SECONDS)
    await heard_since(page, energy)


async def test_words_over_the_agent_stop_it_and_the_page_shows_what_was_heard(
    opened: Open, tmp_path: Path
) -> None:
    sentence, stop = dickens()[5].samples, synthesised("Stop, please.").samples
    pause = np.zeros(int(BARGE_IN_SECONDS * SAMPLE_RATE), np.int16)
    said = np.concatenate([sentence, pause, stop])
    microphone = write_microphone(tmp_path / "barge_in.wav", said, lead_seconds=LEAD_SECONDS)
    async with chromium(microphone) as browser, opened(browser) as page:
        await page.click("#start")
        lines = page.locator("#lines li")
        await expect(lines.nth(2)).to_contain_text("You said", timeout=30 * SECONDS)
        await expect(lines.nth(3)).to_contain_text("Stop", timeout=20 * SECONDS)
        await expect(lines.nth(2)).to_have_attribute("data-final", "true", timeout=10 * SECONDS)
        await expect(lines.nth(2)).not_to_contain_text("despair")


async def test_without_a_microphone_it_says_so_and_one_can_type(opened: Open) -> None:
    async with (
        chromium() as browser,
        opened(browser, viewport={"width": 360, "height": 640}) as page,
    ):
        await assert_fits(page)
        await page.click("#start")
        await expect(page.locator("#notice")).to_contain_text("There is no microphone.")
        await picture(page, "no_microphone")
        await page.click("#type")
        await expect(page.locator("#lines li").nth(0)).to_be_visible(timeout=20 * SECONDS)
        await expect(page.locator("#text")).to_be_focused()
        await page.keyboard.type("What is three plus four?")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines li").nth(2)).to_contain_text(
            "seven", timeout=20 * SECONDS
        )
        await expect(page.locator("#said")).to_contain_text("Agent: ", timeout=10 * SECONDS)
        await assert_fits(page)
        await picture(page, "phone")


async def assert_fits(page: Page) -> None:
    """Nothing is wider than the window, and each control is in it and large enough for a finger."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in await page.locator("button:visible, input:visible").all():
        box = await control.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] + box["height"] <= 640
        assert box["height"] >= 40


async def test_a_refused_permission_a_missing_agent_and_what_agents_show_are_sentences(
    opened: Open, places: Places
) -> None:
    async with (
        chromium(asks=True) as browser,
        opened(browser, "nobody", color_scheme="dark") as page,
    ):
        await page.evaluate("() => { kept = RTCPeerConnection; delete window.RTCPeerConnection; }")
        await page.click("#start")
        await expect(page.locator("#notice")).to_contain_text("This browser has no WebRTC")
        await page.evaluate("() => { window.RTCPeerConnection = kept; }")
        await page.click("#start")
        await expect(page.locator("#notice")).to_contain_text("The microphone is not allowed.")
        await assert_accessible(page)
        await page.click("#type")
        notice = page.locator("#notice")
        await expect(notice).to_contain_text("AGENT_NAME=nobody", timeout=25 * SECONDS)
        await expect(page.locator("#status")).to_have_text("Waiting for the agent")
        await picture(page, "missing")
        await shows_what_agents_show(page, places)


async def shows_what_agents_show(page: Page, places: Places) -> None:
    """Agents come, go and end the call: participants of the test."""
    status, notice = page.locator("#status"), page.locator("#notice")
    room_name = await page.locator("#room").text_content() or ""
    listening = {"lk.agent.state": "listening", Attribute.DICTATION: "true"}
    async with joined(places, room_name, "agent-1", listening) as agent:
        await expect(status).to_contain_text("dictate at your own pace", timeout=10 * SECONDS)
        digits: asyncio.Queue[str] = asyncio.Queue()
        agent.on("sip_dtmf_received", lambda dtmf: digits.put_nowait(dtmf.digit))
        await page.click("#more")
        await page.click("[data-digit='#']")
        assert await asyncio.wait_for(digits.get(), 10) == "#"
    await expect(status).to_have_text("Waiting for the agent", timeout=10 * SECONDS)
    async with joined(places, room_name, "agent-2", {"lk.agent.state": "speaking"}) as agent:
        await expect(status).to_have_text("Speaking", timeout=10 * SECONDS)
        await agent.local_participant.set_attributes({Attribute.ENDING: "too_long"})
        await expect(notice).to_contain_text("longest duration", timeout=10 * SECONDS)
        access = places.access
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as server:
            await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
        await expect(status).to_contain_text("longest duration", timeout=10 * SECONDS)


@asynccontextmanager
async def joined(
    places: Places, room_name: str, identity: str, attributes: dict[str, str]
) -> AsyncIterator[rtc.Room]:
    """A participant that the page takes for an agent."""
    token = (
        api.AccessToken(places.access.api_key, places.access.api_secret)
        .with_identity(identity)
        .with_kind("agent")
        .with_attributes(attributes)
        .with_grants(api.VideoGrants(room_join=True, room=room_name, can_update_own_metadata=True))
    )
    room = rtc.Room()
    await room.connect(places.access.url, token.to_jwt())
    try:
        yield room
    finally:
        await room.disconnect()
