"""The page of a call in Chromium, opened from the disk: what it shows, and words stay words."""

import json
import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from agent.records.read import read_calls
from agent.records.schema import Audio, Call, Said, Turn
from agent.viewer.write import write_page
from workbench.local.browsers import VIEWER, chromium, marked
from workbench.local.calling import sample_records
from workbench.local.running import PROJECT

ARTIFACTS = PROJECT / "artifacts" / "viewer"
SERIOUS = ("serious", "critical")
WIDE = {"viewport": {"width": 1000, "height": 1780}}
PHONE = {"viewport": {"width": 360, "height": 740}}

pytestmark = pytest.mark.slow  # starts Chromium


@asynccontextmanager
async def opened(browser: Browser, folder: Path, lines: Any, **window: Any) -> AsyncIterator[Page]:
    """The page of a call with these lines. Fails if it complains in the console, or asks for
    anything but itself and the sound inside."""
    record = sample_records.write(folder / "RM_1.jsonl", lines)
    write_page(read_calls(record)[-1], folder / "RM_1.html")
    context = await browser.new_context(**(window or WIDE))
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url[:200]))
    address = (folder / "RM_1.html").as_uri()
    await page.goto(address)
    yield page
    await context.close()
    assert complaints == []
    assert [url for url in asked if url != address and not url.startswith("blob:")] == []


async def picture(page: Page, name: str, *, whole: bool = True) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    shown = await page.screenshot(full_page=whole)
    (ARTIFACTS / f"{name}.png").write_bytes(marked(shown, VIEWER))


async def assert_accessible(page: Page) -> None:
    found = (await Axe().run(page)).response["violations"]
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, json.dumps(serious, indent=1)


async def test_a_call_is_shown_with_its_oddities_its_turns_and_where_their_time_went(
    tmp_path: Path,
) -> None:
    async with (
        chromium() as browser,
        opened(browser, tmp_path, sample_records.eventful()) as page,
    ):
        await expect(page.locator("h1")).to_have_text("Call in support-17")
        await expect(page.locator("#caller")).to_have_text("+15550100")
        await expect(page.locator(".turn:not(.beside)")).to_have_count(7)
        odd = page.locator("#odd li")
        await expect(odd.nth(0)).to_contain_text("Turn 3 waited 3.16 s: the language model refused")
        await expect(page.locator(".beside")).to_contain_text("Caller (backchannel): mhm")
        await picture(page, "call")
        await assert_accessible(page)

        await odd.nth(0).locator("a").click()
        body = page.locator("#body-3")
        await expect(body).to_be_visible()
        await expect(body.locator(".worst").first).to_have_text("LLM, first token")
        await expect(body).to_contain_text("2.62 s")
        await expect(body).to_contain_text("confidence: AssemblyAI was sure")
        await expect(page.locator("#turn-3 .head")).to_be_focused()
        await expect(page.locator("#turn-6 .cut")).to_have_text("(interrupted)")
        await expect(page.locator(".cut")).to_have_count(1)
        await expect(page.locator("#figures .odd")).to_have_count(2)
        await expect(page.locator("#before")).to_have_text(re.compile("waited 0.64 s in the room"))
        await page.evaluate("scrollTo(0, 0)")
        await picture(page, "docs", whole=False)
        await page.keyboard.press("j")
        await expect(page.locator("#turn-4 .head")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#body-4")).to_contain_text("false barge-in by a voice")
        await page.keyboard.press("k")
        await page.keyboard.press("Enter")
        await expect(body).to_be_hidden()
        await odd.nth(0).locator("a").click()  # the same link once more
        await expect(body).to_be_visible()
        await page.click("#all")
        for summary in await page.locator("summary").all():
            await summary.click()
        await assert_accessible(page)
        await picture(page, "open")
        await page.emulate_media(media="print")
        await expect(page.locator("footer")).to_be_hidden()
        await picture(page, "print")


async def test_it_fits_a_phone_and_a_dark_room(tmp_path: Path) -> None:
    window = {**PHONE, "color_scheme": "dark"}
    async with (
        chromium() as browser,
        opened(browser, tmp_path, sample_records.eventful(), **window) as page,
    ):
        await page.click("#turn-3 .head")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await assert_accessible(page)
        await picture(page, "phone")


HOSTILE = "</script><img src=x onerror=alert(1)><b>{script}\u2028\u202e"


async def test_what_hostile_callers_say_stays_text(tmp_path: Path) -> None:
    bad = sample_records.turn(2, 1000, f"{HOSTILE} hello", HOSTILE, llm=3000)
    lines = [
        Call(room=HOSTILE, caller=HOSTILE, settings={HOSTILE: HOSTILE}),
        bad,
        *sample_records.said_in(bad),
        Said(role="user", text=HOSTILE, mark=HOSTILE, name=HOSTILE),
    ]
    async with chromium() as browser, opened(browser, tmp_path, lines) as page:
        await page.click("#all")
        await expect(page.locator(".beside")).to_contain_text("<img src=x onerror=alert(1)><b>")
        assert await page.locator("img, b:has-text('{script}')").count() == 0
        assert await page.evaluate("document.scripts.length") == 2


async def test_figures_that_cannot_be_are_drawn_without_a_fault(tmp_path: Path) -> None:
    far = {"ended_ms": 10**12, "first_sound_ms": 10**12 + 5}
    lines = [
        Call(),
        sample_records.turn(1, 10**9, "hello", "Hello.", llm=10**12),
        sample_records.turn(2, -5000, "hello", "Hello.", llm=-3000, reply=far),
        Turn(index=2, origin="caller"),
    ]
    async with chromium() as browser, opened(browser, tmp_path, lines) as page:
        await page.click("#all")
        await expect(page.locator("#body-1")).to_contain_text("Where the")


async def test_a_call_without_anything_odd_says_so_and_one_without_turns_too(
    tmp_path: Path,
) -> None:
    async with chromium() as browser:
        async with opened(browser, tmp_path, sample_records.healthy()) as page:
            await expect(page.locator("#odd")).to_have_text(re.compile("Nothing."))
        async with opened(browser, tmp_path, [Call()]) as page:
            await expect(page.locator("#turns")).to_contain_text("The record holds no turn.")


def write_sound(path: Path, seconds: int) -> None:
    """A tone on both sides, the agent's softer."""
    rate = 8000
    tone = (9000 * np.sin(np.arange(rate * seconds) / 4)).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.stack([tone, tone // 3], axis=1).tobytes())


async def test_a_turn_is_heard_when_it_is_clicked_in_whichever_file_its_sound_is(
    tmp_path: Path,
) -> None:
    lines = sample_records.healthy(3)
    write_sound(tmp_path / "RM_1.wav", 9)
    write_sound(tmp_path / "RM_1.2.wav", 11)  # a second agent's
    lines.insert(1, Audio(file="RM_1.wav", starts_ms=100))
    lines.insert(2, Audio(file="RM_1.2.wav", starts_ms=9100))
    async with chromium() as browser, opened(browser, tmp_path, lines) as page:
        clock = page.locator("#clock")
        await expect(page.locator("#play")).to_be_visible()
        await page.click("#turn-2 .head")
        await expect(clock).to_have_text(re.compile("0:0[5-8] of"))
        await expect(page.locator("#play")).to_have_text("Pause")
        await page.click("#play")
        await expect(page.locator("#play")).to_have_text("Play")
        await page.click("#turn-3 .head")
        await expect(clock).to_have_text(re.compile("0:1[1-4] of"))
        await page.locator(".strip").click(position={"x": 5, "y": 20})
        await expect(clock).to_have_text(re.compile("0:0[0-3] of"))
        await picture(page, "sound")


async def test_one_cause_has_links_to_all_its_turns_and_its_bars_are_bold(tmp_path: Path) -> None:
    late = [
        sample_records.turn(
            each,
            6000 * each,
            "when do you open",
            "At nine.",
            part={"formatted_ms": 6000 * each + 3400, "committed_ms": 6000 * each + 1900},
        )
        for each in (2, 3)
    ]
    cut = sample_records.turn(4, 30_000, "I would like", "What?", cut_off_for_ms=640)
    lines = [Call(waited_for_ms=15_556), *late, cut]
    async with chromium() as browser, opened(browser, tmp_path, lines) as page:
        box = page.locator("#odd li[data-kind=late_formatted]")
        await expect(box.locator("a")).to_have_text(["Turn 2", "turn 3"])
        await page.click("#all")
        await expect(page.locator("#body-3 .what.worst")).to_have_text("Formatted text")
        await expect(page.locator("#body-4 .what.worst")).to_have_text("End of turn (endpointing)")
        await expect(page.locator("#body-3")).to_contain_text("the reply began early")
        await expect(page.locator("#body-3 .words span")).to_have_count(6)
        await expect(page.locator("#body-3 .words span").first).to_have_attribute(
            "title", "when 0:18, 0.24 s"
        )
        await expect(page.locator("#before.late")).to_contain_text("waited 15.6 s in the room")
        await page.locator("summary", has_text="What the words mean").click()
        await expect(page.locator("dt", has_text="Barge-in")).to_be_visible()
        await picture(page, "one-cause")
