"""The page is one file that loads nothing; what people said cannot become a part of it."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.read import RecordedCall
from agent.records.schema import Call, Said
from agent.viewer.page import as_script, page
from workbench.local.browsers import VIEWER, look
from workbench.local.calling import sample_records
from workbench.local.running import PROJECT

WITHOUT_SOUND_BYTES = 400_000


def page_of(*lines: Any) -> str:
    return page(RecordedCall(Path("RM_1.jsonl"), lines))


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_a_page_loads_nothing_from_anywhere() -> None:
    text = page_of(*sample_records.eventful())
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", text.split("<script>")[0])
    assert "url(" not in text
    assert "import " not in text
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", text)


def test_the_policy_allows_the_pages_own_style_and_script_and_no_others() -> None:
    text = page_of(*sample_records.healthy())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    for element in ("style", "script"):
        inside = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert inside
        found = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{found}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


@pytest.mark.parametrize(
    "hostile",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "{script}{style}{policy}{data}",
        "\u2028\u2029",
        "\ud800 alone",
        '"}]};alert(1)//',
        "\\u003c",
    ],
)
def test_words_that_look_like_code_stay_words(hostile: str) -> None:
    plain = page_of(Call(), Said(role="user", text="plain"))
    text = page_of(Call(caller=hostile), Said(role="user", text=hostile))
    assert data_of(text)["caller"] == hostile
    assert data_of(text)["beside"][0]["text"] == hostile
    assert text.count("<") == plain.count("<")
    text.encode()


@given(st.text(st.characters()))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    written = as_script(text)
    assert json.loads(written) == text
    assert not re.search("[<>&\u2028\u2029]", written)
    written.encode()


def test_sound_goes_into_the_page_as_text() -> None:
    call = RecordedCall(Path("RM_1.jsonl"), (Call(),))
    text = page(call, [{"peaks": []}, {"peaks": []}], [b"OggS", b"more"])
    assert f'id="kept-0">{base64.b64encode(b"OggS").decode()}</script>' in text
    assert f'id="kept-1">{base64.b64encode(b"more").decode()}</script>' in text
    assert data_of(text)["sounds"] == [{"peaks": []}] * 2
    assert data_of(page(call))["sounds"] == []


def test_the_page_of_half_an_hour_is_small() -> None:
    assert len(page_of(*sample_records.eventful()).encode()) < 60_000
    assert len(page_of(*sample_records.healthy(300)).encode()) < WITHOUT_SOUND_BYTES


def test_the_documents_picture_shows_the_page_as_it_looks_now() -> None:
    shown = (PROJECT / "docs" / "viewer.png").read_bytes()
    assert look(VIEWER).encode() in shown[:300], "the look has changed: type `make viewer-picture`"
