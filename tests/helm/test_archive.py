"""What is taken for a chart, and what never reaches Helm."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.helm.packing import ABOUT, CHART, laid, packed
from windlass.helm import archive
from windlass.helm.archive import ChartRefused


def refused(data: bytes) -> str:
    with pytest.raises(ChartRefused) as caught:
        archive.clean(data)
    assert caught.value.code == "chart"
    return str(caught.value)


def test_an_archive_is_packed_again_and_says_what_is_in_it():
    first = archive.clean(packed(CHART, top="./shop/"))

    assert set(first.files) == set(CHART)
    assert archive.clean(first.data).data == first.data
    assert archive.clean(packed(dict(reversed(CHART.items())))).data == first.data


def test_links_devices_and_names_that_leave_are_refused():
    assert "link" in refused(packed({"Chart.yaml": ABOUT}, x="/etc/shadow"))
    for name in ("../x", "a/../../x", "/etc/x", "a//b", "a\\..\\x", "c:/x"):
        assert "no name" in refused(packed({"Chart.yaml": ABOUT, name: "x"}, top="")), name
    for kind in (tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as out:
            member = tarfile.TarInfo("shop/x")
            member.type, member.linkname = kind, "shop/y"
            out.addfile(member)
        assert "link or a device" in refused(made.getvalue())


def test_what_is_no_chart_says_so():
    for data in (b"", b"hello", b"PK\x03\x04"):
        assert ".tgz" in refused(data)
    assert "unpacked" in refused(gzip.compress(b"a" * 5000))
    assert "unpacked" in refused(packed(CHART)[:200])
    assert "empty" in refused(gzip.compress(b"\0" * 10240))
    assert "no Chart.yaml" in refused(packed({"values.yaml": "a: 1"}))
    assert "twice" in refused(_twice())


def _twice() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as out:
        for _ in range(2):
            out.addfile(tarfile.TarInfo("shop/Chart.yaml"))
    return made.getvalue()


def test_bombs_are_small_in_memory():
    assert "5 MiB" in refused(packed({"Chart.yaml": ABOUT, "big.txt": b"\0" * (6 << 20)}))
    many = {f"files/{number}": b"\0" * (4 << 20) for number in range(17)}
    assert "64 MiB" in refused(packed({"Chart.yaml": ABOUT, **many}))
    # A header may claim to be as large as it likes.
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 32
    made = header.tobuf(tarfile.USTAR_FORMAT) + b"\0" * (90 << 20)
    assert "64 MiB" in refused(gzip.compress(made, 1))
    nested = packed({"Chart.yaml": ABOUT})
    for _ in range(6):
        nested = packed({"Chart.yaml": ABOUT, "charts/x.tgz": nested})
    assert "more than 4 times" in refused(nested)


def test_a_folder_is_packed_without_what_it_ignores(tmp_path: Path):
    folder = laid(
        tmp_path / "shop",
        CHART
        | {
            ".helmignore": "# ours\n*.bak\n/docs/\n",
            "a.bak": "x",
            "docs/x": "x",
            ".git/config": "x",
            "files/data.txt": "x",
        },
    )

    assert set(archive.folder(folder).files) == {*CHART, "files/data.txt"}


def test_a_link_in_a_folder_is_refused_by_its_name(tmp_path: Path):
    folder = laid(tmp_path / "shop", CHART)
    (folder / "files").mkdir()
    os.symlink("/etc/passwd", folder / "files" / "passwd")

    with pytest.raises(ChartRefused, match="files/passwd is a link"):
        archive.folder(folder)
    (folder / ".helmignore").write_text("files/passwd\n")
    assert set(archive.folder(folder).files) == set(CHART)
    with pytest.raises(ChartRefused, match=r"no Chart\.yaml"):
        archive.folder(tmp_path)
