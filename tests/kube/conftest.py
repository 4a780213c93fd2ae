"""The real API server, where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube import real


@pytest.fixture(scope="session")
def real_kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.RealCluster]:
    if real.found() is None:
        pytest.skip(
            "etcd and kube-apiserver are not installed: apt-get install etcd-server, and "
            "WINDLASS_TEST_KUBE_APISERVER names the other"
        )
    folder: Path = tmp_path_factory.mktemp("kubernetes")
    server = real.RealCluster(folder)
    yield server
    server.stop()
