"""The named points at which a process is killed: where a function of the product begins or ends.

Read by `sitecustomize.py` in the processes of an instance and by the tests, so it imports nothing.
"""

from typing import NamedTuple


class Point(NamedTuple):
    """`place` is module:name; `victim` is what dies there: that process, or another one."""

    name: str
    scenario: str
    place: str
    when: str = "after"
    part: str = "control"
    victim: str = "self"

    @property
    def needs(self) -> str:
        """What must be live before."""
        return _NEEDS.get(self.scenario, self.scenario)


_NEEDS = {
    "upload": "static", "push": "pushed", "build": "built", "fresh": "built", "cancel": "built",
    "clean": "built", "restart": "built", "rollback": "server", "promote": "server",
    "preview": "static",
}  # fmt: skip
_D, _B, _C = "windlass.deployments.", "windlass.builds.", "windlass.core."
_PIPELINE = _B + "pipeline:Pipeline."
_EDGE = "windlass.adapters.edge:EdgeClient."

POINTS = (
    Point("upload: contents came, none is kept", "upload", _C + "batch:Batch.commit", "before"),
    Point("upload: one content is in its place", "upload", _C + "blobs:BlobStore.land"),
    Point(
        "upload: the list of files is not kept", "upload", _B + "sources:save_manifest", "before"
    ),
    Point(
        "push: it came, nothing is unpacked",
        "push",
        "windlass.adapters.git_receive:_unpack",
        "before",
    ),
    Point("push: Git unpacks it", "push", _C + "launch:start"),
    Point(
        "push: unpacked, its files are not kept",
        "push",
        "windlass.adapters.git_receive:_store",
        "before",
    ),
    Point("push: kept, nothing is queued", "push", "windlass.adapters.git_receive:receive"),
    Point("admission: let in, not committed", "build", _D + "admission:admit"),
    Point("build: it begins", "build", _D + "building:build", "before"),
    Point("build: the attempt is counted", "build", _D + "building:_order"),
    Point("build: the source is read", "build", _PIPELINE + "fetch"),
    Point("build: planned", "build", _PIPELINE + "_plan"),
    Point("build: half laid out", "build", _C + "blobs:BlobStore.copy_tree", "before"),
    Point("build: laid out", "build", _PIPELINE + "_lay_out"),
    Point("build: the install command runs", "fresh", _C + "launch:start"),
    Point(
        "cache: dependencies are installed, not kept", "fresh", _B + "caches:Caches.keep", "before"
    ),
    Point("cache: kept, not remembered", "fresh", _B + "caches:Caches.keep"),
    Point("cache: remembered", "fresh", _B + "caches:Caches.remember"),
    Point("build: the build command runs", "build", _C + "launch:start"),
    Point("build: the build command has ended", "build", _PIPELINE + "_build"),
    Point("build: the output is collected", "build", _PIPELINE + "_collect"),
    Point("release: its folder is half made", "build", _B + "release:_static"),
    Point("release: assembled", "build", _B + "release:assemble"),
    Point("release command: it begins", "server", _D + "releasing:_run", "before"),
    Point("release command: it runs", "server", _C + "launch:start"),
    Point("release command: it has ended, nobody knows", "server", _D + "releasing:_run"),
    Point("release command: noted that it has run", "server", _D + "releasing:_note"),
    Point("build: the result is not written", "build", _C + "loop:Loop.apply", "before"),
    Point("build: the result is written", "build", _C + "loop:Loop.apply"),
    Point("build: its work folder is not removed", "build", _PIPELINE + "clean_up", "before"),
    Point("switch: its host is asked for", "server", _D + "switching:ask"),
    Point("switch: it begins", "server", _D + "switching:converge", "before"),
    Point("receipt: the figures before are kept", "server", _D + "receipts:begin"),
    Point("switch: the new release is warm", "server", _EDGE + "warm"),
    Point("switch: the link is not replaced", "server", _C + "links:switch", "before"),
    Point("switch: the name of the link is claimed", "server", _C + "links:_claim"),
    Point("switch: the link is replaced", "server", _C + "links:switch"),
    Point("switch: seen through the edge", "server", _EDGE + "serves"),
    Point("receipt: counting, not committed", "server", _D + "receipts:count"),
    Point("receipt: looked at", "server", _D + "receipts:_read"),
    Point("rollback: the link is not replaced", "rollback", _C + "links:switch", "before"),
    Point("rollback: the link is replaced", "rollback", _C + "links:switch"),
    Point("promotion: the release is half made", "promote", _B + "release:assemble_again"),
    Point("promotion: the release is whole", "promote", _B + "release:finish_again"),
    Point("cancel: not committed", "cancel", _D + "service:withdraw_wish"),
    Point("cancel: the work folder is there", "cancel", _PIPELINE + "clean_up", "before"),
    Point("retention: one is to go", "build", _D + "jobs:_prune_one", "before"),
    Point("retention: marked, its files are there", "build", _D + "jobs:_remove_release", "before"),
    Point("retention: its files are half removed", "build", _C + "runtime_log:folder", "before"),
    Point("retention: its files are gone", "build", _D + "jobs:_remove_release"),
    Point("preview: to be taken down", "preview", _C + "links:unlink", "before"),
    Point("preview: its link is gone", "preview", _C + "links:unlink"),
    Point("preview: its files are half removed", "preview", _C + "runtime_log:folder", "before"),
    Point("preview: its files are gone", "preview", _D + "jobs:_remove_release"),
    Point("caches: to be emptied", "clean", _B + "caches:empty_unused", "before"),
    Point("caches: emptied, nobody knows", "clean", _B + "caches:empty"),
    Point("start: nothing is swept", "restart", _D + "jobs:sweep", "before"),
    Point("start: leases are taken over", "restart", _C + "loop:take_over"),
    Point("start: swept", "restart", _D + "jobs:sweep"),
    Point(
        "edge: an app is to be warmed",
        "server",
        "windlass.edge.supervisor:Supervisor.warm",
        "before",
        "edge",
    ),
    Point("edge: an app has started", "server", _C + "launch:start", "after", "edge"),
    Point(
        "edge: a warm app is said to be",
        "server",
        "windlass.edge.supervisor:Supervisor.warm",
        "after",
        "edge",
    ),
    Point("edge: the old app drains", "server", "windlass.edge.app:App._end", "before", "edge"),
    Point(
        "database: in the middle of a build",
        "build",
        _PIPELINE + "_build",
        "before",
        victim="database",
    ),
    Point("database: the link is replaced", "server", _C + "links:switch", victim="database"),
    Point(
        "supervisor: in the middle of a build",
        "build",
        _PIPELINE + "_build",
        "before",
        victim="supervisor",
    ),
)
