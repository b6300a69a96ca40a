"""An outlet: a line of the log for each turn, at a glance in a terminal, as fields in JSON."""

import logging

from agent.call.turn_record.glance import glance
from agent.log import GLANCE
from agent.records.schema import Line, Turn, without_words

log = logging.getLogger(__name__)


def log_turn(line: Line) -> None:
    """Log a turn, without what was said."""
    if isinstance(line, Turn):
        log.info("turn over", extra={GLANCE: glance(line), "turn": without_words(line)})
