"""From counts to a receipt: who answered what around a switch, and whether the new one is worse.

The rule of the automatic return, for a release that was live for at most the watched minutes:
at least 20 requests were answered by it, at least 5 % of them failed (status 500 and above, or cut
in the middle), and that share is more than twice the share of the release before it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from windlass.core.tally import Tally, both, quantile, since

LEAST_REQUESTS = 20
LEAST_SHARE = 0.05
TIMES_WORSE = 2.0


class Figures(msgspec.Struct, frozen=True, rename="camel"):
    """Requests that one release answered. Quantiles: until an answer began."""

    requests: int
    failed: int
    p50_milliseconds: float | None = None
    p95_milliseconds: float | None = None


class Counted(msgspec.Struct, frozen=True):
    """What both releases have counted up to now."""

    new: Tally
    old: Tally


class Receipt(msgspec.Struct, frozen=True):
    """What is kept of a switch. `before`: the old release until then; `old`, `new`: since then."""

    before: Tally
    old: Tally
    new: Tally
    is_partial: bool = False
    """The edge was started anew meanwhile: what it counted after the last look is not in it."""


NOTHING = Counted(Tally(), Tally())


def counted(stored: Mapping[str, Any] | None) -> Counted:
    """As the database keeps it."""
    return NOTHING if stored is None else msgspec.convert(stored, Counted)


def receipt_of(baseline: Counted, carried: Counted, now: Counted, *, before: Tally) -> Receipt:
    """What came since the baseline, and what runs of the edge before this one had counted."""
    return Receipt(
        before=before,
        old=both(carried.old, since(now.old, baseline.old)),
        new=both(carried.new, since(now.new, baseline.new)),
    )


def is_worse(receipt: Receipt) -> bool:
    """Whether the errors have risen so much that the release before it is the better one."""
    new = receipt.new
    if new.requests < LEAST_REQUESTS or share(new) < LEAST_SHARE:
        return False
    return share(new) > TIMES_WORSE * share(receipt.before)


def share(tally: Tally) -> float:
    """Of all answers, how many failed."""
    return tally.failed / tally.requests if tally.requests else 0.0


def figures(tally: Tally) -> Figures:
    """As people read them."""
    return Figures(
        requests=tally.requests,
        failed=tally.failed,
        p50_milliseconds=_milliseconds(quantile(tally, 0.5)),
        p95_milliseconds=_milliseconds(quantile(tally, 0.95)),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
