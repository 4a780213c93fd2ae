"""Which limits a request counts in: C-080, C-081, B-065 to B-068, B-073, D-19."""

import pytest

from windlass.auth import rates
from windlass.auth.rates import Asking
from windlass.core.settings import Limits

LIMITS = Limits()


def counted(
    rate: str | None = None,
    *,
    method: str = "GET",
    path: str = "/api/projects",
    plan: str | None = "FREE",
    limits: Limits = LIMITS,
) -> dict[str, tuple[int, int]]:
    """Limit and window of everything that a request counts in, by key."""
    asking = Asking("203.0.113.9", user_id=7, plan=plan) if plan else Asking("203.0.113.9")
    found = rates.rules(limits, rate, method=method, path=path, asking=asking)
    return {rule.key: (rule.limit, rule.window) for rule in found}


@pytest.mark.parametrize(
    ("plan", "tier", "read", "write", "stripe"),
    [
        ("FREE", 100, 100, 20, 10),
        ("PRO", 500, 500, 100, 50),
        ("TEAM", 1000, 1000, 200, 100),
        ("ENTERPRISE", 5000, 5000, 1000, 500),
    ],
)
def test_a_plan_has_its_tier_and_classes_in_proportion(
    plan: str, tier: int, read: int, write: int, stripe: int
) -> None:
    assert counted(plan=plan) == {"tier:user:7": (tier, 60), "read:user:7": (read, 60)}
    assert counted(plan=plan, method="POST")["write:user:7"] == (write, 60)
    assert counted("stripe", plan=plan, method="POST")["stripe:user:7"] == (stripe, 60)


def test_who_is_not_signed_in_is_counted_by_address() -> None:
    assert counted(plan=None) == {"tier:ip:203.0.113.9": (60, 60), "read:ip:203.0.113.9": (60, 60)}
    assert counted(plan=None, method="DELETE")["write:ip:203.0.113.9"] == (12, 60)


def test_two_people_behind_one_address_do_not_share_a_limit() -> None:
    assert Asking("203.0.113.9", user_id=1).key != Asking("203.0.113.9", user_id=2).key
    assert Asking("2001:db8::1").key == Asking("2001:db8::2").key == "ip:2001:db8::/64"


def test_a_deployment_counts_as_writing_and_as_deploying() -> None:
    assert counted("deploy", method="POST") == {
        "tier:user:7": (100, 60),
        "write:user:7": (20, 60),
        "deploy:user:7": (10, 60),
        "deploy_hourly:user:7": (60, 3600),
    }
    assert counted("deploy", method="POST", plan="PRO")["deploy_hourly:user:7"] == (300, 3600)


def test_contents_of_sources_do_not_eat_what_a_person_may_write() -> None:
    assert counted("upload", method="PUT") == {"upload:user:7": (1000, 60)}


def test_passwords_are_tried_by_address_whoever_is_signed_in() -> None:
    assert counted("sign_in", method="POST")["sign_in:ip:203.0.113.9"] == (5, 60)
    found = counted("sign_in", method="POST", path="/sign-in", plan=None)
    assert found == {"page:ip:203.0.113.9": (600, 60), "sign_in:ip:203.0.113.9": (5, 60)}
    assert counted("forgot_password", method="POST")["forgot_password:ip:203.0.113.9"] == (3, 300)


def test_pages_and_health_count_apart_from_the_api() -> None:
    assert counted(path="/projects") == {"page:user:7": (600, 60)}
    assert counted(path="/projects", method="POST") == {"page:user:7": (600, 60)}
    assert counted("page", path="/api/events/stream") == {"page:user:7": (600, 60)}
    assert counted("health", path="/api/health", plan=None) == {"health:ip:203.0.113.9": (600, 60)}


def test_assets_are_told_of_pages_and_cost_nothing() -> None:
    assert counted("asset", path="/app.css") == {"page:user:7": (600, 60)}
    assert (rates.cost("asset"), rates.cost("read"), rates.cost(None)) == (0, 1, 1)


def test_providers_that_send_bursts_are_not_anonymous_visitors() -> None:
    """D-22: only what is not signed counts against the source, and the handler says so."""
    found = counted("webhook", method="POST", plan=None)
    assert found == {"machine:ip:203.0.113.9": (1000, 60)}
    unsigned = rates.rule_for(LIMITS, "webhook", "stripe")
    assert (unsigned.limit, unsigned.window) == (30, 60)
    ingest = rates.rule_for(LIMITS, "ingest", "proj_1")
    assert (ingest.limit, ingest.window) == (1000, 60)


def test_an_account_is_counted_without_its_name_being_kept() -> None:
    rule = rates.rule_for(LIMITS, "sign_in", "ada@example.com")

    assert (rule.limit, rule.window) == (5, 60)
    assert "ada" not in rule.key
    assert rule.key == rates.rule_for(LIMITS, "sign_in", "ada@example.com").key
    assert rule.key != rates.rule_for(LIMITS, "second_factor", "ada@example.com").key


def test_settings_move_every_number() -> None:
    limits = Limits(free="10/30", pro="40/60", read="5/30", anonymous="1/60")

    assert counted(limits=limits) == {"tier:user:7": (10, 30), "read:user:7": (5, 30)}
    assert counted(limits=limits, plan="PRO")["read:user:7"] == (10, 30)
    assert counted(limits=limits, plan=None)["read:ip:203.0.113.9"] == (1, 30)


def test_a_rate_that_does_not_exist_is_found() -> None:
    with pytest.raises(KeyError):
        counted("wirte")
