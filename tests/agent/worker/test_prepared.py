"""What is prepared once for all calls of a process, and of those forked from it."""

import pickle

from agent.worker.prepared import prepared_once
from config.settings import Settings
from workbench.local.sample_settings import sample_settings


def test_parts_are_made_once_for_the_same_settings() -> None:
    made: list[Settings] = []

    def prepare(settings: Settings) -> object:
        made.append(settings)
        return object()

    settings = sample_settings()
    first = prepared_once(prepare, settings)
    assert prepared_once(prepare, pickle.loads(pickle.dumps(settings))) is first
    assert len(made) == 1


def test_other_settings_and_another_preparation_have_parts_of_their_own() -> None:
    settings = sample_settings()
    others = settings.model_copy(update={"vad_threshold": 0.9})
    assert prepared_once(lambda _: "one", settings) == "one"
    assert prepared_once(lambda _: "another", settings) == "another"
    by = str.format
    assert prepared_once(lambda each: by("{0}", each == others), others) == "True"
