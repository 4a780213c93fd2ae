"""What each plan gives, in one place (C-143). Limits of requests are settings: `auth.rates`."""

import msgspec

from windlass.auth.models import Plan


class Allowance(msgspec.Struct, frozen=True):
    """What somebody on a plan may do at the same time."""

    concurrent_builds: int


ALLOWANCES = {
    Plan.free: Allowance(concurrent_builds=1),
    Plan.pro: Allowance(concurrent_builds=3),
    Plan.team: Allowance(concurrent_builds=6),
    Plan.enterprise: Allowance(concurrent_builds=12),
}
