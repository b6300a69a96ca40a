"""Who in a room tells callers that nobody is free, and who only looks like that."""

from typing import Any

import pytest
from livekit.protocol import models

from agent.worker.company import ALL_BUSY, ATTRIBUTE, IDENTITY, free_identity, is_company

Info = models.ParticipantInfo
OURS = Info(identity=IDENTITY, kind=Info.AGENT, attributes={ATTRIBUTE: ALL_BUSY})
LOOKALIKES: dict[str, dict[str, Any]] = {
    "a person of its identity": {"identity": IDENTITY},
    "a person of its identity and attribute": {
        "identity": IDENTITY,
        "attributes": {ATTRIBUTE: ALL_BUSY},
    },
    "a telephone of its identity": {"identity": IDENTITY, "kind": Info.SIP},
    "an agent of its identity": {"identity": IDENTITY, "kind": Info.AGENT},
}


@pytest.mark.parametrize("told", LOOKALIKES.values(), ids=LOOKALIKES)
def test_who_looks_like_the_company_is_none_and_is_not_thrown_out_by_it(
    told: dict[str, Any],
) -> None:
    lookalike = Info(**told)
    assert not is_company(lookalike)
    identity = free_identity([lookalike])
    assert identity not in ("", IDENTITY)
    ours = Info(identity=identity, kind=Info.AGENT, attributes={ATTRIBUTE: ALL_BUSY})
    assert is_company(ours)
    assert free_identity([lookalike, ours]) == identity


def test_two_workers_choose_one_identity_so_that_nobody_hears_two() -> None:
    assert is_company(OURS)
    assert free_identity([]) == free_identity([OURS]) == IDENTITY
