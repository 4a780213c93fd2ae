"""What the environment may say: C-290, C-291, B-074."""

import pytest

from windlass.core.environment import InvalidSettings, load


def test_limits_are_tuned_by_the_environment() -> None:
    limits = load({"WINDLASS_LIMITS__READ": "7/30", "WINDLASS_LIMITS__SIGN_IN": "3/600"}).limits

    assert (limits.read, limits.sign_in, limits.write) == ("7/30", "3/600", "20/60")


@pytest.mark.parametrize("text", ["", "0/60", "100", "100/0", "-1/60", "1/60/2", "off", "1e9/60"])
def test_a_limit_that_is_none_stops_the_start_and_is_named(text: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load({"WINDLASS_LIMITS__READ": text})

    expected = "expected requests/seconds, both from 1 to 9999999, such as 100/60"
    assert str(caught.value) == f"WINDLASS_LIMITS__READ: {expected}"


def test_every_wrong_variable_is_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        load(
            {
                "WINDLASS_LIMITS__OFF": "true",
                "WINDLASS_REDIS_URL": "http://localhost:6379",
                "WINDLASS_EDGE__TRUSTED_PROXIES": "10.0.0.0/8, 10.0.0.1/8, proxy",
                "WINDLASS_PORT": "many",
            }
        )

    assert str(caught.value).splitlines() == [
        "WINDLASS_EDGE__TRUSTED_PROXIES: 'proxy' does not appear to be an IPv4 or IPv6 network",
        "WINDLASS_EDGE__TRUSTED_PROXIES: 10.0.0.1/8 has host bits set",
        "WINDLASS_LIMITS__OFF: there is no such setting",
        "WINDLASS_PORT: Expected `int`, got `str`",
        "WINDLASS_REDIS_URL: expected an address that begins with redis://, rediss:// or unix://",
    ]


@pytest.mark.parametrize(
    "url", ["redis://cache:6379/1", "rediss://:pw@cache", "unix:///run/r.sock"]
)
def test_a_redis_may_be_named(url: str) -> None:
    assert load({"WINDLASS_REDIS_URL": url}).redis_url == url
