"""The page's words are explained."""

from agent.records.stages import NAMES
from agent.viewer.glossary import GLOSSARY
from agent.viewer.page import FOLDER


def test_each_stage_is_explained_and_each_other_word_has_its_name_in_the_page() -> None:
    script = (FOLDER / "page.js").read_text("utf-8")
    others = script.split("const BESIDES = {")[1].split("}")[0]
    names = {each.split(":")[0].strip() for each in others.split(",")}
    assert names == GLOSSARY.keys() - NAMES.keys()
    assert NAMES.keys() - GLOSSARY.keys() == {"between"}  # it says what it is
