"""Whether a key or a caller's words are found where they should not be."""

import psutil  # type: ignore[import-untyped] # it has no stubs

from workbench.local.leaks import leaks, said_to_models, titles

KEY = "sk-planted-0123"
SAID = "Last week my brother was in your shop."


def test_a_key_and_a_quotation_are_found_and_named_by_their_place() -> None:
    texts = {
        "log": f'{{"error": "{KEY}"}}',
        "trace": "\x0alast week, MY\\nbrother\x12",
        "metrics": "calls_total 1",
    }
    found = leaks(texts, {KEY, ""}, {SAID})
    assert [each.split(":")[0] for each in found] == ["log"]
    texts["trace"] = "\x0alast week, MY brother\x12"
    assert leaks(texts, {KEY}, {SAID})[1:] == ["trace: somebody said 'last week my brother'"]
    assert KEY not in "".join(found)


def test_single_words_are_no_quotation() -> None:
    assert leaks({"log": "the shop, last week"}, (), {SAID}) == []


def test_what_callers_said_is_known_from_the_models_requests() -> None:
    system = {"role": "system", "content": "Be kind."}
    messages = [system, {"role": "user", "content": SAID}]
    assert said_to_models([{"body": {"messages": messages}}, {"body": None}]) == {SAID}


def test_titles_are_those_of_a_program() -> None:
    assert "python" in titles(psutil.Process())
