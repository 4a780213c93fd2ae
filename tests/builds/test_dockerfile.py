"""What is read of a Dockerfile before an engine sees it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.builds import references
from windlass.builds.dockerfile import Dockerfile
from windlass.builds.dockerignore import sees
from windlass.builds.errors import DockerfileBroken, DockerfileRefused, ReferenceWrong
from windlass.core.errors import AppError


def read(text: str, **arguments: str) -> Dockerfile:
    return Dockerfile(text, arguments, file="Dockerfile")


def test_stages_images_and_ports():
    found = read(
        "ARG NODE=22\n"
        "FROM node:${NODE} AS build\nRUN npm ci \\\n  # why not\n\n  && npm test\n"
        "FROM nginx:1.27\nCOPY --from=build /app /www\nCOPY --from=busybox:1 /bin/x /x\n"
        "EXPOSE 8080/tcp 9090 53/udp\n"
    )

    assert found.stages == ["build", "1"]
    assert list(found.images.values()) == ["node:22", "nginx:1.27"]
    assert found.copied == {"busybox:1"}
    assert found.ports == [8080, 9090]
    assert found.buildkit_reason is None


def test_given_arguments_win_and_defaults_fill():
    text = "ARG A\nARG B=1\nFROM x:${A:-no}-${B}\n"

    assert list(read(text).images.values()) == ["x:no-1"]
    assert list(read(text, A="yes", B="2").images.values()) == ["x:yes-2"]


def test_a_stage_is_no_image():
    found = read("FROM a:1 AS one\nFROM one\nCOPY --from=0 /a /a\n")

    assert list(found.images.values()) == ["a:1"]
    assert not found.copied


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: it is empty"),
        ("# only this\n\n", "it is empty"),
        ("FROM a\nRUNN x", "line 2: there is no instruction RUNN; did you mean RUN?"),
        ("RUN x\nFROM a", "line 1: RUN comes before the first FROM"),
        ("ARG X=1", "there is no FROM"),
        ("FROM", "line 1: FROM says nothing"),
        ("FROM a b c d", "FROM is `FROM image`"),
        ("FROM a AS", "FROM is `FROM image`"),
        ("FROM $X", "line 1: $X has no value: give the ARG a default"),
        ("FROM a\nRUN <<END\nx", "line 2: the here-document END has no end"),
        ("FROM a\nCOPY --from=$X a b", "name the stage or the image"),
        ("\x00\x01", "there is no instruction"),
        ("\\\n\\\n", "line 3: a continuation continues nothing"),
    ],
)
def test_what_is_broken_is_named_with_its_line(text: str, said: str):
    with pytest.raises(DockerfileBroken) as broken:
        read(text)

    assert said in broken.value.message


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.com/x /x",
        "ADD git@example.com:me/x.git /x",
        'ADD ["http://169.254.169.254/", "/x"]',
        "ADD --chown=1:1 http://127.0.0.1/ /x",
        "ADD $URL /x",
        "ADD h${T}ttp://x/y /x",
        "ONBUILD ADD https://example.com/x /x",
        "RUN --network=host curl x",
        "RUN --security=insecure x",
        "RUN --mount=type=ssh git clone x",
    ],
)
def test_what_reaches_past_the_guard_is_refused(line: str):
    with pytest.raises(DockerfileRefused, match="line 2"):
        read(f"FROM a\n{line}\n")


@pytest.mark.parametrize("line", ["ADD a.tar.gz /x", "ADD ./$NAME /x", "ADD src/ conf.d /x/"])
def test_files_are_added(line: str):
    assert read(f"FROM a\n{line}\n").stages


@pytest.mark.parametrize(
    "line",
    [
        "RUN --mount=type=cache,target=/c x",
        "RUN --mount=type=secret,id=token x",
        "COPY --link a b",
        "COPY --chmod=755 a b",
        "RUN <<EOF\nFROM not a from\nEOF",
        "FROM --platform=$BUILDPLATFORM b",
    ],
)
def test_what_only_buildkit_knows(line: str):
    assert "line 2" in (read(f"FROM a\n{line}\n").buildkit_reason or "")


def test_secrets_that_are_mounted_are_known_by_name():
    found = read(
        "FROM a\nRUN --mount=type=secret,id=one x\n"
        "RUN --mount=type=secret,target=/run/two,required x\n"
    )

    assert found.secrets == {"one": 2, "two": 3}
    assert found.required_secrets == {"two"}


def test_the_engine_gets_pinned_images_and_labels():
    found = read(
        "# syntax=docker/dockerfile:1\n# escape=`\n"
        "FROM --platform=linux/amd64 `\n  a:1 AS one\nRUN x `\n  y\n"
        "COPY --from=b:2 /x /y\nFROM one\n"
    )

    made = found.rewritten({"a:1": "a@sha256:1", "b:2": "b@sha256:2"}, {"own": 'x"y'})

    assert made.splitlines() == [
        "#",
        "# escape=`",
        "FROM --platform=linux/amd64 a@sha256:1 AS one",
        'LABEL "own"="x\\"y"',
        "#",
        "RUN x `",
        "  y",
        "COPY --from=b@sha256:2 /x /y",
        "FROM one",
        'LABEL "own"="x\\"y"',
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                "FROM a",
                "FROM $X AS y",
                "ARG X=1",
                "RUN <<E",
                "E",
                "\\",
                "ADD",
                "COPY --from=",
                "# a=b",
            ]
        )
        | st.text(max_size=20),
        max_size=8,
    )
)
def test_any_text_is_read_or_refused(lines: list[str]):
    # Any other exception than one of ours is a fault.
    with contextlib.suppress(AppError):
        read("\n".join(lines)).rewritten({"a": "b"}, {"c": "d"})


@pytest.mark.parametrize("size", [1, 200_000])
def test_a_hostile_file_is_read_in_no_time(size: int):
    for text in ("FROM a\nRUN " + "<<" * size, "FROM a\nRUN " + "\\\n" * size + "x", "$" * size):
        try:
            read(text)
        except AppError:
            continue


@pytest.mark.parametrize(
    ("rules", "seen", "unseen"),
    [
        ("node_modules\n*.log", ["a.txt", "deep/x.log"], ["node_modules/a/b", "x.log"]),
        ("**/*.log\n!keep.log", ["keep.log"], ["a/b/c.log", "x.log"]),
        ("*\n!src\n!go.mod", ["src/a/b", "go.mod"], ["README", "docs/x"]),
        ("/build/\n  dist/**", ["builder"], ["build/x", "dist/a/b"]),
        ("temp?\nfile[0-9].[!a]", ["temp", "tempo/x"][:1], ["temp1", "tempo/x"]),
        ("a\n!a/b\na/b/c", ["a/b/d"], ["a/x", "a/b/c"]),
        ("# nothing\n\n", ["anything"], []),
        ("(a+)+b|.*", ["aaaa", "x"], []),
    ],
)
def test_dockerignore(rules: str, seen: list[str], unseen: list[str]):
    is_seen = sees(rules)

    assert [path for path in seen if not is_seen(path)] == []
    assert [path for path in unseen if is_seen(path)] == []


@pytest.mark.parametrize(
    ("text", "whole", "place"),
    [
        ("nginx", "nginx:latest", ("docker.io", 443)),
        ("docker.io/library/nginx:1", "nginx:1", ("docker.io", 443)),
        ("me/app:1.2", "me/app:1.2", ("docker.io", 443)),
        ("ghcr.io/a/b/c", "ghcr.io/a/b/c:latest", ("ghcr.io", 443)),
        ("host:5000/a:1", "host:5000/a:1", ("host", 5000)),
        (f"a@sha256:{'0' * 64}", f"a@sha256:{'0' * 64}", ("docker.io", 443)),
        (f"a:1@sha256:{'0' * 64}", f"a@sha256:{'0' * 64}", ("docker.io", 443)),
    ],
)
def test_names_of_images(text: str, whole: str, place: tuple[str, int]):
    found = references.parse(text)

    assert found.whole == whole
    assert found.place == place


@pytest.mark.parametrize(
    "text",
    ["", "UPPER", "a b", "a/../b", "a?x=1", "a@md5:1", "http://x/y", "-a", "a:\n", "x" * 400],
)
def test_what_is_no_name_of_an_image(text: str):
    with pytest.raises(ReferenceWrong):
        references.parse(text)


def test_local_images_are_those_an_operator_lists():
    listed = ("team/*", "base:1")

    assert references.is_listed(references.parse("team/app:2"), listed)
    assert references.is_listed(references.parse("base:1"), listed)
    assert not references.is_listed(references.parse("base:2"), listed)
    assert not references.is_listed(references.parse("windlass-1:depl_1"), listed)
