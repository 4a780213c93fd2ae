"""What Windlass sees but does not build yet, so that the error can name it."""

from windlass.builds.detect import compose
from windlass.builds.detect.source import Source
from windlass.core.languages import N_

_SIGNS = (
    (N_("a compose project"), compose.FILES),
    (N_("a Helm chart"), ("Chart.yaml",)),
    (N_("a kustomization"), ("kustomization.yaml", "kustomization.yml")),
    (N_("a Go program"), ("go.mod", "go.work", "main.go")),
    (N_("a Rust program"), ("Cargo.toml",)),
    (N_("a Ruby program"), ("Gemfile", "config.ru")),
    (N_("a PHP program"), ("composer.json", "index.php")),
    (N_("an Elixir program"), ("mix.exs",)),
    (N_("a Java program"), ("pom.xml", "build.gradle", "build.gradle.kts", "gradlew")),
    (N_("a Deno program"), ("deno.json", "deno.jsonc")),
    (N_("a Dart or Flutter program"), ("pubspec.yaml",)),
    (N_("a Swift package"), ("Package.swift",)),
    (N_("a Zig program"), ("build.zig",)),
    (N_("a Jekyll site"), ("_config.yml",)),
)


def elsewhere(source: Source) -> tuple[str, str] | None:
    """What the source is, and the file that says so."""
    for what, names in _SIGNS:
        found = source.first(*names)
        if found:
            return what, source.named(found)
    projects = [path for path in source.files if path.endswith((".csproj", ".fsproj", ".sln"))]
    return (N_("a .NET program"), source.named(projects[0])) if projects else None
