"""What Windlass sees but does not build yet, so that the error can name it."""

from windlass.builds.detect import compose
from windlass.builds.detect.source import Source

_SIGNS = (
    ("a container image", ("Dockerfile", "Containerfile")),
    ("a compose project", compose.FILES),
    ("a Helm chart", ("Chart.yaml",)),
    ("a kustomization", ("kustomization.yaml", "kustomization.yml")),
    ("a Go program", ("go.mod", "go.work", "main.go")),
    ("a Rust program", ("Cargo.toml",)),
    ("a Ruby program", ("Gemfile", "config.ru")),
    ("a PHP program", ("composer.json", "index.php")),
    ("an Elixir program", ("mix.exs",)),
    ("a Java program", ("pom.xml", "build.gradle", "build.gradle.kts", "gradlew")),
    ("a Deno program", ("deno.json", "deno.jsonc")),
    ("a Dart or Flutter program", ("pubspec.yaml",)),
    ("a Swift package", ("Package.swift",)),
    ("a Zig program", ("build.zig",)),
    ("a Jekyll site", ("_config.yml",)),
)


def elsewhere(source: Source) -> tuple[str, str] | None:
    """What the source is, and the file that says so."""
    for what, names in _SIGNS:
        found = source.first(*names)
        if found:
            return what, source.named(found)
    projects = [path for path in source.files if path.endswith((".csproj", ".fsproj", ".sln"))]
    return ("a .NET program", source.named(projects[0])) if projects else None
