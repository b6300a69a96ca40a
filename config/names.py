"""Names of variables: which are settings, which belong to other programs, which are mistakes."""

import difflib
import re
from collections.abc import Mapping

from config.settings import Sections
from config.sources import is_renamed, is_service_link

OURS = ("AGENT_", "ASSEMBLYAI_")
"""Prefixes that no other program on a worker's machine uses, unlike `LIVEKIT_` and `OPENAI_`."""

SETTINGS = {
    f"{section}_{field}".upper(): (section, field)
    for section, info in Sections.model_fields.items()
    for field in info.annotation.model_fields  # type: ignore[union-attr]  # each is a model
}
"""The section and the field by the variable's name."""

_STEMS = ("AGENT", "ASSEMBLY", "AAI", "OPENAI", "LIVEKIT")
"""How names start that are meant for us, ignoring underscores."""

_OTHERS = re.compile(
    # LiveKit's own libraries, its cloud and its command line; and this project's workbench.
    r"LIVEKIT_(AGENTS?|INFERENCE|SIP|TELEMETRY|EVALS|OBSERVABILITY|RTC|NODE|WORKER)_\w+"
    r"|LIVEKIT_(TOKEN|SERVER|KEYS|CONFIG|DEV_MODE|LOG_LEVEL|LIB_PATH|REGION_NAME|REMOTE_EOT_URL)"
    # OpenAI's client and its command line.
    r"|OPENAI_(ORG_ID|ORGANIZATION|PROJECT|PROJECT_ID|LOG|API_VERSION|API_TYPE|ADMIN_KEY"
    r"|WEBHOOK_SECRET|CUSTOM_HEADERS)"
    # Agents of Azure Pipelines and of Jenkins.
    r"|AGENT_(ID|OS|OSARCHITECTURE|VERSION|JOBNAME|JOBSTATUS|MACHINENAME|WORKFOLDER|WORKDIR|CLOUDID"
    r"|TEMPDIRECTORY|TOOLSDIRECTORY|HOMEDIRECTORY|BUILDDIRECTORY|ROOTDIRECTORY|SERVERDIRECTORY"
    r"|ISSELFHOSTED|CONTAINERMAPPING|DIAGNOSTIC|ACCEPTTEEEULA|READONLYVARIABLES|NODE|LABELS"
    r"|RETAINDEFAULTENCODING|DISABLELOGPLUGIN_\w+|USEWORKSPACEID)"
)


def mistakes(found: Mapping[str, str]) -> dict[str, str]:
    """For each name that looks like a setting and is none: what to say about it.

    `found` holds the variables that are set; names are in capitals.
    """
    return {
        name: f"{name}: there is no such setting; {advice}"
        for name, text in found.items()
        if (advice := _advice(name, text))
    }


def close_to(name: str) -> list[str]:
    """The settings that this name may have been meant for, at most two."""
    squeezed = {each.replace("_", ""): each for each in SETTINGS}
    close = difflib.get_close_matches(name.replace("_", ""), squeezed, n=2, cutoff=0.8)
    return [squeezed[each] for each in close]


def _advice(name: str, text: str) -> str:
    """What to do instead of setting this; empty if there is nothing to say."""
    section, _, field = name.lower().partition("_")
    if name in SETTINGS or is_renamed(section, field) or _OTHERS.fullmatch(name):
        return ""
    if not name.replace("_", "").startswith(_STEMS) or is_service_link(name, text):
        return ""
    if close := close_to(name):
        return f"did you mean {' or '.join(close)}?"
    if section == "assemblyai":
        return (
            "docs/settings.md lists them all, and ASSEMBLYAI_EXTRA_PARAMETERS takes parameters of "
            "AssemblyAI's that are not among them"
        )
    with_our_prefix = name.startswith((*OURS, "LIVEKIT_", "OPENAI_"))
    return "docs/settings.md lists them all" if with_our_prefix else ""
