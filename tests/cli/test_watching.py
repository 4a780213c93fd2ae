"""How a deployment that is over is told of in one line."""

import pytest

from windlass.cli.schemas import Deployment, QueuePlace
from windlass.cli.watching import place, reason


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Cancelled", "The deployment depl_1 was cancelled."),
        (None, "The deployment depl_1 was cancelled."),
        (
            "A newer deployment of main took its place",
            "The deployment depl_1 was cancelled: A newer deployment of main took its place",
        ),
    ],
)
def test_a_cancelled_one_says_why_when_nobody_cancelled_it(message: str | None, said: str) -> None:
    ended = Deployment(id="depl_1", status="cancelled", error_message=message)
    assert reason(ended) == said


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        (None, ""),
        (QueuePlace(position=1, estimated_seconds=30), ""),
        (QueuePlace(position=3), ", number 3"),
        (QueuePlace(position=3, estimated_seconds=80), ", number 3, about 1 min 20 s"),
    ],
)
def test_one_that_waits_behind_others_says_its_place(queue: QueuePlace | None, said: str) -> None:
    assert place(Deployment(id="depl_1", queue=queue)) == said
