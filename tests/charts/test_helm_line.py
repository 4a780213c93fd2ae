"""Pasted Helm commands (K-030 to K-034, D-57, D-62): an allow-list decides, and no shell ever."""

import contextlib
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.charts.helm import command, references
from windlass.charts.helm.line import Line, Setting, parse
from windlass.charts.helm.references import Chart
from windlass.charts.helm.words import MOST_BYTES, Refused

DIGEST = "sha256:" + "a1" * 32


def refused(text: str) -> str:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert caught.value.message
    return caught.value.code


def test_a_command_of_several_lines_is_read_with_its_repository():
    line = parse(
        "$ helm repo add acme https://charts.acme.dev\n"
        "helm repo update\n\n"
        "# the shop\n"
        "helm upgrade --install shop acme/web \\\n"
        "  -n prod --create-namespace --version '^1.2' --atomic \\  \n"
        '  --set "image.tag=v2,ports={80,443}" --set-string id=007 --wait --timeout 10m0s # now\n'
    )

    assert (line.release, line.namespace, line.create_namespace) == ("shop", "prod", True)
    assert line.chart == Chart(name="web", repository="acme", url="https://charts.acme.dev")
    assert (line.version, line.timeout_seconds, line.wait) == ("^1.2", 600, "watcher")
    assert line.rollback_on_failure
    assert line.values() == {"image": {"tag": "v2"}, "ports": [80, 443], "id": "007"}


def test_a_command_without_its_first_words_is_taken():
    line = parse("shop acme/platform --set web.allowPrivilegeEscalation=false")

    assert line.needs_repository == "acme"
    assert line.values() == {"web": {"allowPrivilegeEscalation": False}}


def test_a_chart_is_of_a_repository_a_registry_or_one_file_of_the_web():
    charts = {
        "acme/web": Chart(name="web", repository="acme"),
        "web --repo https://charts.acme.dev": Chart(name="web", url="https://charts.acme.dev"),
        "oci://ghcr.io/acme/charts/web": Chart(name="web", url="oci://ghcr.io/acme/charts/web"),
        f"oci://ghcr.io:5000/acme/web:1.0@{DIGEST}": Chart(
            name="web", url="oci://ghcr.io:5000/acme/web", digest=DIGEST
        ),
        "https://acme.dev/web-1.2.tgz": Chart(name="web-1.2", url="https://acme.dev/web-1.2.tgz"),
    }
    for text, chart in charts.items():
        assert parse(f"helm install shop {text}").chart == chart, text
    assert parse("helm install shop oci://ghcr.io/acme/web:1.2.3").version == "1.2.3"


def test_what_a_value_holds_in_quotes_is_text():
    """D-57: `alarm `, `overkill ` and the rest are words; metacharacters in quotes are values."""
    line = parse(
        "helm install shop acme/platform --set 'a=x;y|z & $HOME `w` <b>' "
        """--set b="alarm \\$1" --description 'rm -rf overkill '"""
    )

    assert line.values() == {"a": "x;y|z & $HOME `w` <b>", "b": "alarm $1"}


# A code, and commands that are refused with it; ⏎ is a line's end.
REFUSED = """
characters: helm install s a/b; rm -rf /
  helm install s a/b && rm x
  helm install s a/b | sh
  helm install s a/b > /etc/x
  helm install s a/b < /etc/x
  helm install s a/b &
  (helm install s a/b)
  helm install s a/b --set a=$'x'
substitution: helm install s a/b --set a=$(id)
  helm install s a/b --set a=`id`
  helm install s a/b --set "a=$(id)"
  helm install s a/b --set "a=`id`"
variable: helm install s a/b --set a=$PASS
  helm install s a/b --set a=${PASS:-x}
  helm install s a/b --set "a=$1"
placeholder: helm install <name> a/b
  helm install RELEASE a/b
  helm install [NAME] a/b
  helm install {{name}} a/b
  helm install s oci://HOST/web
  helm install s a/b --version <version>
  helm install s a/b -n YOUR_NAMESPACE
typography: helm install s a/b --set “a=b”
  helm install s a/b \u2014wait
chart-path: helm install s ./chart
  helm install s /srv/chart
  helm install s ../x
  helm install s .
  helm install s ~/chart
  helm install s a/../b
  helm install s a/b/c
  helm install s a/b/
  helm install s web.tgz
  helm install s charts/web.tgz
chart: helm install s http://acme.dev/w.tgz
  helm install s file:///etc/w.tgz
  helm install s git+https://acme.dev/x
  helm install s https://acme.dev/web
  helm install s https://u:p@acme.dev/w.tgz
  helm install s web
  helm install s oci://ghcr.io
  helm install s oci://u:p@ghcr.io/a
  helm install s oci://a/b@sha256:1
repository: helm install s b --repo http://acme.dev
  helm install s b --repo file:///x
  helm install s b --repo https:///x
  helm repo add a/b https://acme.dev⏎helm install s a/b
unknown-option: helm install s a/b --plugin x
  helm install s a/b --sett a=b
  helm install s a/b -x
option: helm install s a/b --timeout 300
  helm install s a/b --timeout 99h
  helm install s a/b -n
  helm install s a/b --create-namespace=maybe
  helm install s a/b --history-max many
  helm install s a/b --wait=soon
  helm install s a/b --dry-run=soon
  helm install s a/b --labels x
values: helm install s a/b --set a
  helm install s a/b --set a[x]=1
  helm install s a/b --set-json a={
values-address: helm install s a/b -f https://169.254.169.254/
  helm install s a/b --values=http://x
arguments: helm install a/b
  helm install s
  helm install
  helm install s a/b c/d
  helm upgrade --install s a/b --create-namespace true
release: helm install My_App a/b
  helm install a..b a/b
  helm install abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc a/b
namespace: helm install s a/b -n a.b
  helm install s a/b -n Prod
  helm install s a/b -n ''
version: helm install s a/b --version '1;2'
  helm install s a/b --version ''
several-commands: helm install s a/b⏎rm -rf /
  helm install s a/b⏎helm install t a/c
other-command: helm uninstall s
  helm template s a/b
  helm plugin install x
  helm
  helm repo remove a
command: rm -rf /
  rm a/b
  kubectl apply -f x/y
  sudo helm install s a/b
  A=b helm install s a/b
  hello
quote: helm install s a/b --set 'a=b
  helm install s a/b --set "a=b
empty: # only a comment
  ⏎
"""
DANGEROUS = """
--post-renderer ./x,--post-renderer=x,--post-renderer-args x,--kubeconfig /x,--kubeconfig=x,
--kube-context x,--kube-apiserver=https://x,--kube-token x,--kube-as-user x,--kube-ca-file x,
--kube-insecure-skip-tls-verify,--set-file a=/etc/shadow,--set-file=a=b,--ca-file x,--cert-file x,
--key-file x,--keyring x,--verify,--username x,--password x,--insecure-skip-tls-verify,--plain-http,
--pass-credentials,--registry-config x,--repository-config x,--repository-cache x,--output-dir x,
--debug,--enable-dns,--name x,--tiller-namespace x,--tls,-h"""


def test_what_is_not_taken_says_why():
    code = ""
    for row in REFUSED.strip().splitlines():
        if not row.startswith(" "):
            code, _, row = row.partition(":")
        assert refused(row.strip().replace("⏎", "\n")) == code, row
    assert refused("helm install s a/b --set a=" + "x" * MOST_BYTES) == "too-long"
    assert refused("helm install s a/b --set a=\0") == "characters"


def test_no_dangerous_option_is_taken():
    for option in DANGEROUS.replace("\n", "").split(","):
        for place in (f"s a/b {option}", f"{option} s a/b", f"s a/b --wait {option} --set a=b"):
            assert refused(f"helm upgrade --install {place}") == "refused-option", option
        assert refused(f"helm upgrade --install s a/b '{option.split()[0]}' x") == "refused-option"


def test_the_messages_of_the_documents_stay():
    for text, message in {
        "x" * (MOST_BYTES + 1): "Input too long",
        "helm install s a/b; rm -rf /": "Invalid characters detected",
        "helm repo add acme http://x\nhelm install s acme/b": "not encrypted",
    }.items():
        with pytest.raises(Refused, match=message):
            parse(text)
    for text in ("acme", "acme ftp://x", "ac/me https://x", "acme https://x y", "", "a https://"):
        with pytest.raises(Refused, match="Format: 'name https://url'"):
            raise Refused("", str(_repository_refused(text)))
    assert references.repository("acme  https://charts.acme.dev/x").name == "acme"


def _repository_refused(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        references.repository(text)
    return caught.value


def test_risky_options_wait_for_a_yes_and_idle_ones_are_left_out():
    line = parse("helm upgrade -i s a/b --force --take-ownership --output json --dependency-update")

    assert line.confirm == ("force", "take-ownership")
    assert [note.split()[0] for note in line.notes] == ["--output", "--dependency-update"]
    assert parse("helm upgrade -i s a/b --force=false").confirm == ()


def test_files_of_the_writers_machine_are_asked_for():
    line = parse("helm install s a/b -f prod.yaml,/etc/shadow --values=- --set a=2")

    assert line.files == ("prod.yaml", "/etc/shadow", "-")
    assert line.values({"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}) == {"a": 2, "b": {"c": 1, "d": 2}}


def test_options_are_read_as_helm_reads_them():
    line = parse("helm upgrade -in prod -- s a/b")
    assert (line.release, line.namespace) == ("s", "prod")
    for text in ("-nprod", "-n=prod", "--namespace=prod", "--namespace prod", "-n dev -n prod"):
        assert parse(f"helm install s a/b {text}").namespace == "prod"
    assert not parse("helm install s a/b --wait --wait=false").wait
    assert parse("helm install a/b --generate-name").release == ""


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
LINES = st.builds(
    Line,
    release=NAMES,
    chart=st.one_of(
        st.builds(Chart, name=NAMES, repository=NAMES),
        st.builds(lambda n: Chart(name=n, url=f"oci://ghcr.io/acme/{n}", digest=DIGEST), NAMES),
        st.builds(lambda n: Chart(name=n, url=f"https://acme.dev/{n}.tgz"), NAMES),
        st.builds(lambda n: Chart(name=n, url="https://charts.acme.dev"), NAMES),
    ),
    namespace=st.one_of(st.just(""), NAMES),
    create_namespace=st.booleans(),
    version=st.sampled_from(["", "1.2.3", "^1.2", ">=1 <2"]),
    settings=st.lists(
        st.builds(
            lambda option, text: Setting(option, f"a.b={text}"), st.just("set-literal"), TEXTS
        )
        | st.just(Setting("set", "x[0].y=1,z={a,b}")),
        max_size=3,
    ).map(tuple),
    keep_values=st.sampled_from(["", "reuse", "reset", "reset-then-reuse"]),
    wait=st.sampled_from(["", "watcher", "legacy", "hookOnly"]),
    timeout_seconds=st.integers(1, 3600),
    rollback_on_failure=st.booleans(),
    history_max=st.integers(0, 100),
    description=TEXTS,
    labels=st.dictionaries(NAMES, NAMES, max_size=2),
    skip_crds=st.booleans(),
    no_hooks=st.booleans(),
    server_side=st.sampled_from(["", "true", "auto"]),
    dry_run=st.booleans(),
    confirm=st.sampled_from([(), ("force-replace",), ("force-conflicts", "take-ownership")]),
)


@settings(max_examples=40)
@given(LINES)
def test_what_is_shown_is_read_again_as_the_same(line: Line):
    assert parse(command.shown(line)) == line


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1))
def test_words_are_split_as_a_shell_splits_them(words: list[str]):
    """Whatever stands in quotes reaches Helm as it is, whatever it holds."""
    values = [Setting("set-literal", f"a={word}") for word in words]
    line = Line(release="s", chart=Chart(name="b", repository="a"), settings=tuple(values))

    read = parse(shlex.join(command.words(line)))

    assert [one.text for one in read.settings] == [f"a={word}" for word in words]


@settings(max_examples=60)
@given(st.text() | TEXTS.map("helm install s a/b ".__add__))
def test_nothing_pasted_breaks_the_reader(text: str):
    line = None
    with contextlib.suppress(Refused):
        line = parse(text)
    if line is not None:
        assert parse(command.shown(line)).settings == line.settings


def test_the_command_that_runs_is_made_anew():
    line = parse("helm install s a/b --atomic --wait -f x.yaml --set a=b --version 1 -n prod")

    files = ["/w/chart.tgz", "--values", "/w/values.json"]
    assert command.words(line, chart=files, helm=3) == [
        *("helm", "upgrade", "s", *files, "--install", "--namespace", "prod", "--wait", "--atomic")
    ]
    assert "--rollback-on-failure" in command.words(line)
