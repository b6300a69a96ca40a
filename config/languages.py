"""The languages in which the agent can say all that it says by itself, and the sentences.

Each has recorded sentences as well, in `agent/call/sounds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from stt_assemblyai.models import MULTILINGUAL, U3, WHISPER, family_of

Language = Literal["en", "de", "es", "fr", "it"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

HEARS_ALL = min(MULTILINGUAL)
"""The model that hears each of them, and costs no more than the English one."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the settings of these names are in a language, unless they are set."""

    greeting: str
    still_there: str
    goodbye: str
    refusal: str


SENTENCES: Mapping[Language, Sentences] = MappingProxyType(
    {
        "en": Sentences(
            "Hello, this is Alex. How can I help you?",
            "Are you still there?",
            "I am ending this call now. Goodbye.",
            "I am sorry, I cannot talk about that. What else can I do for you?",
        ),
        "de": Sentences(
            "Guten Tag, hier ist Alex. Was kann ich für Sie tun?",
            "Sind Sie noch da?",
            "Ich beende jetzt das Gespräch. Auf Wiederhören.",
            "Darüber kann ich leider nicht sprechen. Was kann ich sonst für Sie tun?",
        ),
        "es": Sentences(
            "Hola, soy Alex. ¿En qué puedo ayudarle?",
            "¿Sigue ahí?",
            "Voy a terminar la llamada. Adiós.",
            "Lo siento, no puedo hablar de eso. ¿En qué más puedo ayudarle?",
        ),
        "fr": Sentences(
            "Bonjour, ici Alex. Que puis-je faire pour vous ?",
            "Êtes-vous toujours là ?",
            "Je mets fin à cet appel. Au revoir.",
            "Je suis désolé, je ne peux pas en parler. Que puis-je faire d'autre pour vous ?",
        ),
        "it": Sentences(
            "Buongiorno, sono Alex. Come posso aiutarla?",
            "È ancora in linea?",
            "Adesso chiudo la chiamata. Arrivederci.",
            "Mi dispiace, non posso parlarne. Come altro posso aiutarla?",
        ),
    }
)

_NAMES: Mapping[Language, str] = MappingProxyType(
    {"de": "German", "es": "Spanish", "fr": "French", "it": "Italian"}
)


def told_to_speak(language: Language) -> str:
    """A sentence for the instructions that come with this project, which are English; or none."""
    return f"Speak {_NAMES[language]}." if language in _NAMES else ""


def hears(model: str, language: Language) -> bool:
    """Whether this speech model hears the language."""
    return language == "en" or model in MULTILINGUAL or family_of(model) in (U3, WHISPER)
