"""Documentation and pages made by Python: MkDocs, Sphinx, Pelican."""

import shlex
from typing import cast

from msgspec.structs import replace

from windlass.builds.detect.python import python_plan
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.sites import below_root
from windlass.builds.detect.source import Source, table, text, texts
from windlass.builds.detect.syntax import Modules, literal
from windlass.builds.paths import join
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_CONFS = (
    *("docs/conf.py", "docs/source/conf.py", "doc/conf.py", "doc/source/conf.py"),
    *("source/conf.py", "conf.py"),
)
_MKDOCS_THEMES = {"material": "mkdocs-material", "readthedocs": "", "mkdocs": ""}
# Sphinx extensions and themes whose package has another name than the module.
_SPHINX_PACKAGES = {
    "furo": "furo",
    "sphinx_rtd_theme": "sphinx-rtd-theme",
    "pydata_sphinx_theme": "pydata-sphinx-theme",
    "sphinx_book_theme": "sphinx-book-theme",
    "myst_parser": "myst-parser",
    "sphinx_copybutton": "sphinx-copybutton",
    "sphinx_design": "sphinx-design",
}


def mkdocs(source: Source, requirements: Requirements) -> Plan | None:
    file = source.first("mkdocs.yml", "mkdocs.yaml")
    if file is None:
        return None
    config = source.yaml(file)
    output = text(config.get("site_dir"))
    folder = below_root(source, file, output) if output else "site"
    evidence = [
        N_("{file}: the configuration of {label}").format(file=source.named(file), label="MkDocs")
    ]
    if output:
        message = N_("{file}: {key} names the output folder {folder}")
        evidence.append(message.format(file=file, key="site_dir", folder=output))
    else:
        message = N_("output folder {output}: {label}'s default")
        evidence.append(message.format(output=folder, label="MkDocs"))
    theme = config.get("theme")
    theme = text(theme) or text(table(theme).get("name")) or ""
    also = [name for name in ("mkdocs", _MKDOCS_THEMES.get(theme, "")) if name]
    warnings: list[str] = []
    plugins = _names(config.get("plugins")) - {"search"}
    if plugins and "mkdocs" not in requirements.listed:
        warnings.append(
            N_(
                "mkdocs.yml uses plugins ({plugins}); list their packages in requirements.txt."
            ).format(plugins=", ".join(sorted(plugins))[:200])
        )
    return _documents(
        source,
        requirements,
        Plan(
            framework="mkdocs",
            label="MkDocs",
            kind="static",
            build_command=f".venv/bin/mkdocs build --site-dir {shlex.quote(folder)}",
            output_directory=folder,
            evidence=tuple(evidence),
            warnings=tuple(warnings),
        ),
        needs=also,
    )


def sphinx(source: Source, requirements: Requirements) -> Plan | None:
    """A conf.py that assigns what Sphinx reads, beside a first document."""
    for path in _CONFS:
        folder = path.rpartition("/")[0] or "."
        index = source.first(*(join(folder, f"index.{end}") for end in ("rst", "md", "txt")))
        module = Modules(source).module(path) if source.has(path) else None
        if module is None or index is None:
            continue
        values = {name: literal(value) for name, value in module.assignments()}
        if not {"project", "extensions", "html_theme"} & values.keys():
            continue
        home = folder.removesuffix("/source")
        output = join("" if home == "source" else home, "_build/html")
        extensions = values.get("extensions")
        named = [*texts([values.get("html_theme")]), *texts(extensions)]
        packages = [_SPHINX_PACKAGES[name] for name in named if name in _SPHINX_PACKAGES]
        return _documents(
            source,
            requirements,
            Plan(
                framework="sphinx",
                label="Sphinx",
                kind="static",
                build_command=f".venv/bin/sphinx-build -b html {shlex.quote(folder)} {output}",
                output_directory=output,
                evidence=(
                    N_("{file}: the configuration of {label}").format(
                        file=source.named(path), label="Sphinx"
                    ),
                    N_("{file}: the first document").format(file=source.named(index)),
                ),
            ),
            needs=["sphinx", *packages],
        )
    return None


def pelican(source: Source, requirements: Requirements) -> Plan | None:
    """A pelicanconf.py beside the content; what is meant for publishing goes first."""
    file = source.first("publishconf.py", "pelicanconf.py")
    if file is None or not source.has("pelicanconf.py"):
        return None
    module = Modules(source).module("pelicanconf.py")
    values = {name: literal(value) for name, value in module.assignments()} if module else {}
    content = text(values.get("PATH")) or "content"
    output = below_root(source, "pelicanconf.py", text(values.get("OUTPUT_PATH")) or "output")
    arguments = f"{shlex.quote(content)} -o {shlex.quote(output)} -s {file}"
    return _documents(
        source,
        requirements,
        Plan(
            framework="pelican",
            label="Pelican",
            kind="static",
            build_command=f".venv/bin/pelican {arguments}",
            output_directory=output,
            evidence=(
                N_("{file}: the configuration of {label}").format(
                    file=source.named(file), label="Pelican"
                ),
            ),
        ),
        needs=["pelican", "markdown"],
    )


def _documents(source: Source, requirements: Requirements, plan: Plan, *, needs: list[str]) -> Plan:
    """Install from wherever the tool is listed: the main list, a group, an extra, docs' own file;
    beside them when it is listed nowhere."""
    listed = requirements.listed
    tool = listed.get(needs[0])
    missing = tuple(name for name in needs if name not in listed)
    evidence = list(plan.evidence)
    if tool:
        where = f" ({tool.group})" if tool.group and not tool.group.startswith("file:") else ""
        evidence.append(
            N_("{file}: depends on {name}").format(
                file=source.named(tool.place), name=f"{tool.name}{where}"
            )
        )
    if missing:
        evidence.append(
            N_("not listed, installed beside: {names}").format(names=", ".join(missing))
        )
    group = tool.group if tool else ""
    file = group.removeprefix("file:") if group.startswith("file:") else ""
    install = requirements.install(also=missing, group="" if file else group, file=file)
    plan = replace(plan, install_command=install, evidence=tuple(evidence))
    return python_plan(source, requirements, plan)


def _names(value: object) -> set[str]:
    """Plugins are strings or one-key objects, in a list or as one object."""
    if isinstance(value, dict):
        return {str(name) for name in table(value)}
    found: set[str] = set(texts(value))
    for item in cast(list[object], value) if isinstance(value, list) else ():
        found |= {str(name) for name in table(item)}
    return found
