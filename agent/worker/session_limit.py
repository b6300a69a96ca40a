"""How many calls AssemblyAI's account lets begin now."""

import time

from agent.worker.admission import Limit
from config.services import AssemblyAISettings
from stt_assemblyai.budget import SharedBudget, file_for

# Rather than be heard later than this, a caller is told that nobody is free.
SESSION_SECONDS = 5


def session_limit(service: AssemblyAISettings) -> Limit | None:
    """How many calls can soon get a session with AssemblyAI; None if there is no limit.

    There is none with a fallback for AssemblyAI: it hears the calls that get no session.
    """
    if service.new_sessions_per_minute is None or service.fallback_inference_model:
        return None
    account = file_for(service.api_key.get_secret_value())
    budget = SharedBudget(service.new_sessions_per_minute, account)
    return lambda recent: budget.free(time.time(), SESSION_SECONDS) - recent
