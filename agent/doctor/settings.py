"""Judges the settings: what is missing or wrong, and names that were meant for others."""

from collections.abc import Iterable, Mapping, Sequence

from agent.doctor.check import Check, Name, fault, ok, warning
from config.names import close_to
from config.reference import Variable

_MISSING = ": is missing"
OTHER_NAMES: Mapping[str, str] = {
    "AAI_API_KEY": "ASSEMBLYAI_API_KEY",
    "AAI_KEY": "ASSEMBLYAI_API_KEY",
    "ASSEMBLY_API_KEY": "ASSEMBLYAI_API_KEY",
    "ASSEMBLYAI_TOKEN": "ASSEMBLYAI_API_KEY",
    "LIVEKIT_HOST": "LIVEKIT_URL",
    "LIVEKIT_KEY": "LIVEKIT_API_KEY",
    "LIVEKIT_SECRET": "LIVEKIT_API_SECRET",
    "LIVEKIT_SERVER_URL": "LIVEKIT_URL",
    "LIVEKIT_WS_URL": "LIVEKIT_URL",
    "NEXT_PUBLIC_LIVEKIT_URL": "LIVEKIT_URL",
    "OPENAI_API_BASE": "OPENAI_BASE_URL",
    "OPENAI_MODEL": "OPENAI_LLM_MODEL",
    "OPENAI_TOKEN": "OPENAI_API_KEY",
}
"""Names that other programs and older guides give to what we need."""


def judge(
    faults: Sequence[str],
    notes: Sequence[str],
    texts: Mapping[str, str],
    variables: Iterable[Variable],
) -> list[Check]:
    """A check for each fault and each note of `config.load`, or one that says that all is well.

    `texts` is what is set, by name. A name that is missing and a name that looks like it are one
    fault. A value that is still the example of `.env.example` is a fault.
    """
    needed = [each for each in variables if each.required]
    renamed = {}
    for each in needed:
        if each.name not in texts and (other := _meant_for(each.name, texts)):
            renamed[each.name] = other
    checks = [
        fault(Name.SETTINGS, f"{wanted} is missing, and {found} is set", _rename(found, wanted))
        for wanted, found in renamed.items()
    ]
    covered = {*renamed, *renamed.values()}
    checks += [_fault(each) for each in faults if _subject(each) not in covered]
    checks += [
        fault(
            Name.SETTINGS,
            f"{each.name} is still the example of docs/settings.md",
            f"put your own value into {each.name}",
        )
        for each in needed
        if texts.get(each.name) == each.example
    ]
    checks += [_note(each) for each in notes if _subject(each) not in covered]
    if not checks:
        return [ok(Name.SETTINGS, "complete, and without a contradiction")]
    return checks


def _meant_for(wanted: str, texts: Mapping[str, str]) -> str | None:
    """The variable that is set and was probably meant to be `wanted`."""
    known = [name for name, meant in OTHER_NAMES.items() if meant == wanted and name in texts]
    like = [name for name in sorted(texts) if wanted in close_to(name) and name != wanted]
    foreign = [name for name in like if texts[name] and not _is_setting(name)]
    return next(iter([*known, *foreign]), None)


def _is_setting(name: str) -> bool:
    return name in close_to(name)


def _rename(found: str, wanted: str) -> str:
    return f"rename {found} to {wanted}"


def _subject(sentence: str) -> str:
    """The name that a sentence of `config.load` begins with."""
    return sentence.partition(":")[0].partition(" ")[0]


def _fault(sentence: str) -> Check:
    if _MISSING in sentence:
        name = _subject(sentence)
        return fault(Name.SETTINGS, f"{name} is missing", f"set {name} {_WHERE}")
    seen, _, mend = sentence.partition("; ")
    return fault(Name.SETTINGS, seen, mend or _CORRECT)


def _note(sentence: str) -> Check:
    seen, _, mend = sentence.partition("; ")
    return warning(Name.SETTINGS, seen, mend or _CORRECT)


_WHERE = "in the environment or in .env (a copy of .env.example, which says what each is)"
_CORRECT = "correct it in the environment or in .env; `python agent.py settings` shows where it is"
