"""The switch: atomic, durable and fenced by generation."""

import multiprocessing
import os
from pathlib import Path

import pytest

from windlass.core import links


def test_a_switch_points_the_host_at_the_release(tmp_path: Path):
    assert links.switch(tmp_path, "a.localhost", "depl_1", 1)

    assert links.current(tmp_path, "a.localhost") == "depl_1"
    assert os.readlink(tmp_path / "sites" / "a.localhost") == "../releases/depl_1"


def test_a_smaller_generation_is_fenced_off(tmp_path: Path):
    links.switch(tmp_path, "a.localhost", "depl_2", 2)

    assert not links.switch(tmp_path, "a.localhost", "depl_1", 1)
    assert links.current(tmp_path, "a.localhost") == "depl_2"


def test_the_same_generation_may_repeat_its_work(tmp_path: Path):
    assert links.switch(tmp_path, "a.localhost", "depl_2", 2)
    assert links.switch(tmp_path, "a.localhost", "depl_2", 2)


def test_generations_compare_as_numbers(tmp_path: Path):
    links.switch(tmp_path, "a.localhost", "depl_9", 9)

    assert links.switch(tmp_path, "a.localhost", "depl_10", 10)


def test_an_unlinked_host_stays_fenced(tmp_path: Path):
    links.switch(tmp_path, "a.localhost", "depl_1", 5)

    assert links.unlink(tmp_path, "a.localhost", 6)
    assert links.current(tmp_path, "a.localhost") is None
    assert not links.switch(tmp_path, "a.localhost", "depl_1", 5)


def test_unlinking_what_is_not_there_is_fine_and_late_unlinking_is_refused(tmp_path: Path):
    assert links.unlink(tmp_path, "a.localhost", 1)
    links.switch(tmp_path, "a.localhost", "depl_1", 3)

    assert not links.unlink(tmp_path, "a.localhost", 2)
    assert links.current(tmp_path, "a.localhost") == "depl_1"


def test_routes_lists_hosts_and_nothing_else(tmp_path: Path):
    links.switch(tmp_path, "a.localhost", "depl_1", 1)
    links.switch(tmp_path, "b.example.com", "depl_2", 1)

    assert links.routes(tmp_path) == {"a.localhost": "depl_1", "b.example.com": "depl_2"}


@pytest.mark.parametrize(
    "host",
    ["", ".", "..", "../x", "a/b", ".lock", "A.com", "a..b", "a.", "-a", "a\n", "a b", "x" * 64],
)
def test_a_name_that_is_no_host_is_refused(tmp_path: Path, host: str):
    with pytest.raises(ValueError, match="not a host name"):
        links.switch(tmp_path, host, "depl_1", 1)
    assert links.current(tmp_path, host) is None


@pytest.mark.parametrize("deployment", ["", "..", "a/b", "../../etc", "x" * 81, "depl_1\n"])
def test_a_release_outside_the_folder_is_refused(tmp_path: Path, deployment: str):
    with pytest.raises(ValueError, match="not a deployment"):
        links.switch(tmp_path, "a.localhost", deployment, 1)


def _switch_many(home: Path, numbers: range) -> None:
    for number in numbers:
        links.switch(home, "a.localhost", f"depl_{number}", number)


def test_of_concurrent_switches_the_largest_generation_wins(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_switch_many, args=(tmp_path, range(start, 60, 3)))
        for start in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert links.current(tmp_path, "a.localhost") == "depl_59"
    assert sorted(os.listdir(tmp_path / "sites")) == [".generations", ".lock", "a.localhost"]
