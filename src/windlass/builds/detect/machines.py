"""Programs of virtual machines: Java (Maven, Gradle), .NET and Elixir."""

import re
import shlex

from msgspec.structs import replace

from windlass.builds.detect.source import Source
from windlass.builds.detect.toolchains import HIDDEN, built_with, inside
from windlass.builds.paths import join
from windlass.builds.plan import Installed, Plan
from windlass.core.languages import N_
from windlass.core.launch_spec import PROXY_PORT

_ARTIFACT = re.compile(r"<artifactId>quarkus-[\w-]+</artifactId>")
_SDK = re.compile(r"<Project\s+Sdk=\"Microsoft\.NET\.Sdk\.(Web|Worker|BlazorWebAssembly)\"")
_APP = re.compile(r"(?<![\w:])app:\s*:(\w+)")
_DEPENDENCY = re.compile(r"#[^\n]*|\{:(\w+),")
# A JVM reads no *_proxy variables; this is the guarded way out of a build step.
_PROXY = " ".join(
    f"-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={PROXY_PORT}"
    for scheme in ("http", "https")
)
# The largest archive is the one that holds its libraries.
_LARGEST = "ls -S {folder}/*.jar | grep -vE -e '-(plain|sources|javadoc)[.]jar$' | head -n 1"


def java(source: Source, installed: Installed) -> Plan | None:
    """Maven or Gradle, by the file that is there; a wrapper in the source goes first."""
    pom, gradle = source.first("pom.xml"), source.first("build.gradle", "build.gradle.kts")
    file = pom or gradle
    if file is None:
        return None
    quarkus = bool(_ARTIFACT.search(source.text(file))) or "io.quarkus" in source.text(file)
    also: tuple[str, ...] = ()
    if pom:
        cache = f"{HIDDEN}/m2"
        tool, also = ("mvn", ("mvn",)) if not source.has("mvnw") else ("sh ./mvnw", ())
        repository = shlex.quote(f"-Dmaven.repo.local={inside(source, cache)}")
        command, made = f"{tool} -B -ntp -DskipTests {_PROXY} {repository} package", "target"
    else:
        cache = f"{HIDDEN}/gradle"
        tool, also = ("gradle", ("gradle",)) if not source.has("gradlew") else ("sh ./gradlew", ())
        command, made = f"{tool} --no-daemon --console=plain {_PROXY} assemble", "build/libs"
    if quarkus:
        folder = "target" if pom else "build"
        built, start = (
            command,
            f"java -Dquarkus.http.port=$PORT -jar {folder}/quarkus-app/quarkus-run.jar",
        )
    else:
        built = f'{command} && cp "$({_LARGEST.format(folder=made)})" app.jar'
        start = "java -Dserver.port=$PORT -jar app.jar"
    plan = Plan(
        framework="java",
        label="Java (Maven)" if pom else "Java (Gradle)",
        kind="server",
        build_command=built,
        build_network=True,
        start_command=start,
        framework_caches=(join(source.root, cache),),
        env={} if pom else {"GRADLE_USER_HOME": inside(source, cache)},
        evidence=(
            N_("{file}: a Java program").format(file=source.named(file)),
            N_("the build itself fetches packages"),
        ),
    )
    return built_with("java", source, installed, plan, also=also)


def dotnet(source: Source, installed: Installed) -> Plan | None:
    """The first project that is a web application or a worker."""
    for path in [each for each in source.files if each.endswith((".csproj", ".fsproj"))][:20]:
        found = _SDK.search(source.text(path))
        if found is None:
            continue
        name = path.rpartition("/")[2].rpartition(".")[0]
        packages = join(source.root, f"{HIDDEN}/nuget")
        dll = shlex.quote(f"out/{name}.dll")
        plan = Plan(
            framework="dotnet",
            label=".NET",
            kind="server",
            install_command=f"dotnet restore {shlex.quote(path)}",
            build_command=f"dotnet publish {shlex.quote(path)} -c Release -o out --no-restore",
            start_command=f'env ASPNETCORE_URLS="http://0.0.0.0:$PORT" dotnet {dll}',
            lock_file=source.named(lock) if (lock := _nuget_lock(source, path)) else None,
            cache_directories=(packages,),
            build_only=(packages,),
            env={
                "NUGET_PACKAGES": inside(source, f"{HIDDEN}/nuget"),
                "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
                "DOTNET_NOLOGO": "1",
                "DOTNET_CLI_HOME": "/tmp/dotnet",  # noqa: S108 - the sandbox's own /tmp
            },
            evidence=(N_("{file}: a .NET program").format(file=source.named(path)),),
        )
        if found[1] == "Worker":
            plan = replace(
                plan, kind="worker", start_command=None, processes={"worker": f"dotnet {dll}"}
            )
        return built_with("dotnet", source, installed, plan)
    return None


def _nuget_lock(source: Source, project: str) -> str | None:
    return source.first(join(project.rpartition("/")[0] or ".", "packages.lock.json"))


def phoenix(source: Source, installed: Installed) -> Plan | None:
    has = source.has("mix.exs") and "phoenix" in _DEPENDENCY.findall(source.text("mix.exs"))
    return elixir(source, installed) if has else None


def elixir(source: Source, installed: Installed) -> Plan | None:
    """A release, started by its own script; Phoenix serves when PHX_SERVER is set."""
    if not source.has("mix.exs"):
        return None
    manifest = source.text("mix.exs")
    app = _APP.search(manifest)
    if app is None:
        return None
    depends = set(_DEPENDENCY.findall(manifest)) - {""}
    phoenix = "phoenix" in depends
    fetch = "mix local.hex --force --if-missing && mix local.rebar --force --if-missing"
    assets = phoenix and "assets.deploy" in manifest
    deps, home = join(source.root, "deps"), join(source.root, f"{HIDDEN}/mix")
    steps = ["mix compile", *(["mix assets.deploy"] if assets else [])]
    release = "mix release --overwrite --path out"
    plan = Plan(
        framework="phoenix" if phoenix else "elixir",
        label="Phoenix" if phoenix else "Elixir",
        kind="server",
        install_command=f"{fetch} && mix deps.get --only prod" if depends else None,
        build_command=" && ".join([*steps, release]),
        start_command=f"out/bin/{app[1]} start",
        lock_file=source.named("mix.lock") if source.has("mix.lock") else None,
        cache_directories=(deps, home) if depends else (),
        build_only=(deps, home),
        env={
            "MIX_ENV": "prod",
            "MIX_HOME": inside(source, f"{HIDDEN}/mix"),
            "RELEASE_TMP": "/tmp/release",  # noqa: S108 - the sandbox's own /tmp
            "PHX_SERVER": "true",
        },
        evidence=(
            N_("{file}: the program {name}").format(file=source.named("mix.exs"), name=app[1]),
        ),
    )
    if "ecto_sql" in depends and "migrate" in _release_file(source):
        module = "".join(part.capitalize() for part in app[1].split("_"))
        plan = replace(plan, release_command=f'out/bin/{app[1]} eval "{module}.Release.migrate"')
    return built_with("elixir", source, installed, plan)


def _release_file(source: Source) -> str:
    """Phoenix writes lib/<app>/release.ex, whose `migrate` runs without Mix."""
    found = [path for path in source.files if path.endswith("/release.ex")]
    return (source.code(found[0]) or "") if found else ""
