"""A worker that is told to stop gives its calls to another one, and no caller hears anything."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect

from agent.caller.conversation import agent_words, greeting, take_turn
from agent.caller.transcript import words
from agent.playground.server import playground
from config.project import Project
from config.services import LiveKitSettings
from workbench.local.browsers import chromium
from workbench.local.calling.corpus import synthesised

CUT_OFF = "cut off"
SEEN = """() => {
  window.seen = [];
  const {dataset} = document.body;
  const note = () => window.seen.push(dataset.phase + ": " + dataset.agent);
  new MutationObserver(note).observe(document.body, {attributes: true});
}"""
"""Writes down each look of the page from now on."""
SECONDS = 1000.0  # playwright counts milliseconds


async def test_a_call_goes_to_another_worker_in_mid_conversation_and_nobody_is_cut_off(
    start_worker: Any, dial: Any, figure: Any
) -> None:
    settings = {"AGENT_HAND_OVER_SECONDS": "60", "AGENT_MAX_CALLS": "1"}
    old = await start_worker(verb="start", **settings)
    caller = await dial(old)
    starting = asyncio.create_task(start_worker(verb="start", **settings))
    await greeting(caller, timeout_seconds=40)
    await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
    await starting
    first, asked = caller.agent_identity, synthesised("What is seven plus five?")
    spoken = await caller.say(asked.samples)
    old.terminate()  # while the caller waits for the answer
    told = caller.now_seconds
    reply = await caller.hear_reply(after_seconds=spoken.end_seconds, timeout_seconds=40)
    assert await old.process.wait(timeout_seconds=40) == 0
    gone = caller.now_seconds - told
    assert caller.agent_identity not in (None, first)
    figure(f"hand-over: the old worker was gone {gone:.1f} s after SIGTERM, the answer included")
    before = [each.text for each in caller.transcript.segments]
    assert len([each for each in before if "twelve" in words(each)]) == 1
    turn = await take_turn(caller, synthesised("What is my name?"), timeout_seconds=40)
    assert "emma" in words(turn.reply_text)
    assert not [each for each in caller.transcript.segments if CUT_OFF in words(each.text)]
    assert reply.start_seconds - spoken.end_seconds < 10
    await caller.hang_up()


async def test_a_call_that_nobody_can_take_stays_until_its_end(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_HAND_OVER_SECONDS="3", AGENT_MAX_CALLS="1")
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    first = caller.agent_identity
    worker.terminate()
    await worker.log_line("the call stays here until its end", timeout_seconds=40)
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert "twelve" in words(turn.reply_text)
    assert agent_words(caller, since_seconds=0.0)
    assert caller.agent_identity == first
    await caller.hang_up()
    assert await worker.process.wait(timeout_seconds=40) == 0


async def test_the_page_shows_one_agent_throughout(places: Any, start_worker: Any) -> None:
    settings = {"AGENT_HAND_OVER_SECONDS": "60", "AGENT_MAX_CALLS": "1"}
    old = await start_worker(verb="start", **settings)
    access = places.access
    livekit = LiveKitSettings.model_validate(
        {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
    )
    async with playground(Project(livekit, old.agent_name)) as address, chromium() as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(address)
        await page.click("#type")
        status, lines = page.locator("#status"), page.locator("#lines li")
        await expect(status).to_have_text("Listening", timeout=20 * SECONDS)
        await typed(page, "My name is Emma.")
        await expect(lines).to_have_count(3, timeout=20 * SECONDS)
        await start_worker(verb="start", **settings)
        await expect(status).to_have_text("Listening", timeout=20 * SECONDS)
        await page.evaluate(SEEN)
        old.terminate()
        assert await old.process.wait(timeout_seconds=40) == 0
        await typed(page, "What is my name?")
        await expect(lines.nth(4)).to_contain_text("Emma", timeout=20 * SECONDS)
        seen = await page.evaluate("window.seen")
        assert await page.locator("#notice").text_content() == ""
    assert {each.partition(":")[0] for each in seen} == {"talking"}
    assert not [each for each in seen if each in ("talking: ", "talking: initializing")]


async def typed(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")
