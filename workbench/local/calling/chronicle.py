"""All that is known of a call, to find a fault by."""

from agent.caller.caller import Caller


def chronicle(caller: Caller) -> str:
    """All that is known of a call, line by line in order of time, to find a fault by."""
    events = [
        (
            segment.opened_seconds,
            f"{'caller' if segment.speaker == caller.identity else 'agent'}"
            f" {'' if segment.final else '(not final) '}{segment.text!r}",
        )
        for segment in caller.transcript.segments
    ]
    events += [(at, f"state: {state}") for at, state in caller.states]
    for span in caller.heard_spans:
        events.append((span.start_seconds, f"audible until {span.end_seconds:.2f}"))
    for spoken in caller.spoken:
        events.append((spoken.start_seconds, f"caller speaks until {spoken.end_seconds:.2f}"))
    if caller.disconnected:
        events.append((caller.now_seconds, f"disconnected: {caller.disconnected}"))
    return "\n".join(f"{at:7.2f} s  {what}" for at, what in sorted(events))
