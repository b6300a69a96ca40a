"""The page in which one talks to the agent, in Chromium as Debian ships it, with a real worker."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from agent.playground.server import playground
from config.project import Project
from config.services import LiveKitSettings
from workbench.local.browsers import HEARD, KEEP_CONNECTIONS, chromium, write_microphone
from workbench.local.calling.corpus import synthesised
from workbench.local.running import PROJECT
from workbench.local.workers import GREETING, Places, Worker

ARTIFACTS = PROJECT / "artifacts" / "page"
SERIOUS = ("serious", "critical")
# The microphone is silent until the agent has said its greeting.
LEAD_SECONDS = 6.0
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
    async def opened(browser: Browser, agent_name: str = "", **window: Any) -> AsyncIterator[Page]:
        asked = replace(project, agent_name=agent_name or project.agent_name)
        async with playground(asked) as address:
            context = await browser.new_context(**window)
            await context.add_init_script(KEEP_CONNECTIONS)
            page = await context.new_page()
            await page.goto(address)
            yield page
            await context.close()

    return opened


async def picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")


async def assert_accessible(page: Page) -> None:
    found = (await Axe().run(page)).response["violations"]
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, json.dumps(serious, indent=1)


async def heard_since(page: Page, before: float) -> None:
    """Return once the agent has been audible since the energy was `before`."""
    await page.wait_for_function(
        f"async () => await {HEARD} > {before} + 0.001", timeout=10 * SECONDS
    )


async def test_a_spoken_question_is_answered_aloud_and_both_sides_are_shown(
    opened: Open, tmp_path: Path
) -> None:
    question = synthesised("What is seven plus five?").samples
    microphone = write_microphone(tmp_path / "question.wav", question, lead_seconds=LEAD_SECONDS)
    async with chromium(microphone) as browser, opened(browser) as page:
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
        waited = await lines.nth(2).locator(".wait").text_content(timeout=5 * SECONDS)
        assert 0.2 < float((waited or "").split()[-2]) < 8
        await picture(page, "answered")

        await page.click("#mute")
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        await page.click("#more")
        await page.click("text=Patient")
        await expect(page.locator("body")).to_have_attribute("data-preset", "conservative")
        await page.click("[data-digit='5']")
        await expect(page.locator("#pressed")).to_have_text("5")
        await assert_accessible(page)
        await page.click("#more")
        await page.fill("#text", "What is two plus two?")
        await page.press("#text", "Enter")
        await expect(lines.nth(4)).to_contain_text("four", timeout=20 * SECONDS)
        assert await page.locator("#notice").text_content() == ""

        await page.click("#hang-up")
        await expect(page.locator("#status")).to_have_text("You hung up.")
        await expect(page.locator("#start")).to_be_focused()


async def test_without_a_microphone_it_says_so_and_one_can_type(opened: Open) -> None:
    async with (
        chromium() as browser,
        opened(browser, viewport={"width": 360, "height": 640}) as page,
    ):
        await assert_fits(page)
        await page.click("#start")
        await expect(page.locator("#notice")).to_contain_text("There is no microphone.")
        await page.click("#type")
        await expect(page.locator("#lines li").nth(0)).to_be_visible(timeout=20 * SECONDS)
        await expect(page.locator("#text")).to_be_focused()
        await page.keyboard.type("What is three plus four?")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines li").nth(2)).to_contain_text(
            "seven", timeout=20 * SECONDS
        )
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


async def test_a_refused_permission_and_a_missing_agent_are_sentences(opened: Open) -> None:
    async with (
        chromium(asks=True) as browser,
        opened(browser, "nobody", color_scheme="dark") as page,
    ):
        await page.click("#start")
        await expect(page.locator("#notice")).to_contain_text("The microphone is not allowed.")
        await assert_accessible(page)
        await page.click("#type")
        notice = page.locator("#notice")
        await expect(notice).to_contain_text("AGENT_NAME=nobody", timeout=25 * SECONDS)
        await expect(page.locator("#status")).to_have_text("Waiting for the agent")
        await picture(page, "missing")
