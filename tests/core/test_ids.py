"""Ids: version, variant, and order within a millisecond."""

import time

from windlass.core import ids


def test_ids_of_the_same_millisecond_stand_in_the_order_they_were_made() -> None:
    """The audit log shows what one request did in the order in which it did it."""
    found = []
    for _ in range(200):
        found.append(ids.uuid7())
        # A step of the fraction is a quarter of a microsecond.
        until = time.time_ns() + 300
        while time.time_ns() < until:
            pass

    assert found == sorted(found)
    assert {id.version for id in found} == {7}
    assert len({id.int >> 80 for id in found}) < 100
    assert len({id.int & (1 << 62) - 1 for id in found}) == 200
