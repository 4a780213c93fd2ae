"""Ruby and PHP: Rails, Rack and Sinatra; Laravel and plain pages."""

import re
import shlex

from msgspec.structs import replace

from windlass.builds.detect.packages import Package
from windlass.builds.detect.source import Source, Table, table
from windlass.builds.detect.toolchains import built_with, inside
from windlass.builds.paths import join
from windlass.builds.plan import Installed, Plan
from windlass.core.languages import N_

_GEM = re.compile(r"^\s*gem\s+['\"]([\w-]+)['\"]", re.MULTILINE)
_SERVERS = {
    "puma": "puma -b tcp://0.0.0.0:$PORT",
    "falcon": "falcon serve --bind http://0.0.0.0:$PORT",
    "unicorn": "unicorn -l 0.0.0.0:$PORT",
    "thin": "thin -a 0.0.0.0 -p $PORT start",
}
# Only the build goes without the real key: at run time the dummy would win over it.
_PRECOMPILE = "env SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile"
_PID = "/tmp/server.pid"  # noqa: S108 - the sandbox's own /tmp: the release is read-only
_STORAGE = "/tmp/storage"  # noqa: S108 - the sandbox's own /tmp: the release is read-only


def gems(source: Source) -> frozenset[str]:
    """What a Gemfile lists; comments count for nothing."""
    return frozenset(_GEM.findall(source.text("Gemfile"))) if source.has("Gemfile") else frozenset()


def rails(source: Source, installed: Installed) -> Plan | None:
    listed = gems(source)
    if not {"rails", "railties"} & listed or not source.has("config/application.rb"):
        return None
    assets = bool({"sprockets-rails", "propshaft", "sprockets"} & listed)
    node_install, node_build, caches = _assets(source)
    plan = _bundled(
        source,
        Plan(
            framework="rails",
            label="Ruby on Rails",
            kind="server",
            build_command=" && ".join([*node_build, *([_PRECOMPILE] if assets else [])]) or None,
            start_command=f"bundle exec rails server -b 0.0.0.0 -p $PORT -P {_PID}",
            env={
                "RAILS_ENV": "production",
                "RACK_ENV": "production",
                "RAILS_LOG_TO_STDOUT": "1",
                "RAILS_SERVE_STATIC_FILES": "1",
                "BOOTSNAP_CACHE_DIR": "/tmp/bootsnap",  # noqa: S108 - the sandbox's own /tmp
            },
            evidence=(
                N_("{file}: depends on {name}").format(file=source.named("Gemfile"), name="rails"),
            ),
            warnings=(
                N_("Rails needs SECRET_KEY_BASE or RAILS_MASTER_KEY: set one as a variable."),
            ),
            cache_directories=caches,
        ),
        after=node_install,
    )
    if {"pg", "mysql2", "trilogy"} & listed:
        plan = replace(plan, release_command="bundle exec rails db:migrate")
    return built_with("ruby", source, installed, plan)


def rack(source: Source, installed: Installed) -> Plan | None:
    """config.ru, else a Sinatra file that starts itself."""
    listed = gems(source)
    if source.has("config.ru"):
        server = next((start for gem, start in _SERVERS.items() if gem in listed), None)
        start, sign = server or "rackup -o 0.0.0.0 -p $PORT", "config.ru"
    elif "sinatra" in listed and (file := source.first("app.rb", "main.rb", "server.rb")):
        start, sign = f"ruby {shlex.quote(file)} -o 0.0.0.0 -p $PORT", file
    else:
        return None
    label = "Sinatra" if "sinatra" in listed else "Rack"
    plan = Plan(
        framework="rack",
        label=label,
        kind="server",
        start_command=f"bundle exec {start}" if source.has("Gemfile") else start,
        env={"RACK_ENV": "production", "APP_ENV": "production"},
        evidence=(N_("{file}: a Ruby web application").format(file=source.named(sign)),),
    )
    return built_with("ruby", source, installed, _bundled(source, plan))


def _bundled(source: Source, plan: Plan, after: tuple[str, ...] = ()) -> Plan:
    """Gems go to vendor/bundle, exactly as locked when there is a lock."""
    if not source.has("Gemfile"):
        return plan
    locked = source.has("Gemfile.lock")
    env = {
        "BUNDLE_PATH": inside(source, "vendor/bundle"),
        "BUNDLE_WITHOUT": "development:test",
        "BUNDLE_APP_CONFIG": "/tmp/bundle",  # noqa: S108 - the sandbox's own /tmp
        **({"BUNDLE_FROZEN": "true"} if locked else {}),
    }
    return replace(
        plan,
        package_manager="bundler",
        install_command=" && ".join(["bundle install --jobs 2", *after]),
        lock_file=source.named("Gemfile.lock") if locked else None,
        cache_directories=(join(source.root, "vendor/bundle"), *plan.cache_directories),
        env={**env, **plan.env},
    )


def _assets(source: Source) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """A package.json beside it builds styles and scripts: install, build, where it installs."""
    if not source.has("package.json"):
        return (), (), ()
    package = Package(source)
    build = (package.manager.run("build"),) if "build" in package.scripts else ()
    return (package.manager.install(),), build, (join(source.root, "node_modules"),)


def php(source: Source, installed: Installed) -> Plan | None:
    """The folder with an index.php, served by PHP itself."""
    listed = _required(source)
    index = source.first("public/index.php", "web/index.php", "index.php")
    if index is None:
        return None
    folder = index.rpartition("/")[0] or "."
    # With a front controller every path that is no file goes to index.php.
    routed = folder != "."
    root = f"-t {folder}" + (f" {index}" if routed and "symfony/runtime" not in listed else "")
    plan = Plan(
        framework="php",
        label="Symfony" if "symfony/framework-bundle" in listed else "PHP",
        kind="server",
        start_command=f"php -S 0.0.0.0:$PORT {root}",
        env={"PHP_CLI_SERVER_WORKERS": "4", "APP_ENV": "prod"},
        evidence=(N_("{file}: a page of {label}").format(file=source.named(index), label="PHP"),),
    )
    return _composed(source, installed, plan, bool(listed))


def _required(source: Source) -> Table:
    return table(source.json("composer.json").get("require")) if source.has("composer.json") else {}


def laravel(source: Source, installed: Installed) -> Plan | None:
    """Its storage lies in memory: the release itself is read-only."""
    if not source.has("artisan") or "laravel/framework" not in _required(source):
        return None
    node_install, node_build, caches = _assets(source)
    folders = " ".join(f"{_STORAGE}/framework/{name}" for name in ("cache", "sessions", "views"))
    plan = Plan(
        framework="laravel",
        label="Laravel",
        kind="server",
        build_command=" && ".join(node_build) or None,
        start_command=(
            f"mkdir -p {folders} {_STORAGE}/logs"
            " && exec php artisan serve --host=0.0.0.0 --port=$PORT"
        ),
        env={
            "APP_ENV": "production",
            "LOG_CHANNEL": "stderr",
            "LARAVEL_STORAGE_PATH": _STORAGE,
            "PHP_CLI_SERVER_WORKERS": "4",
        },
        cache_directories=caches,
        evidence=(N_("{file}: a Laravel application").format(file=source.named("artisan")),),
        warnings=(N_("Laravel needs APP_KEY (php artisan key:generate): set it as a variable."),),
    )
    return _composed(source, installed, plan, True, after=node_install)


def _composed(
    source: Source, installed: Installed, plan: Plan, needs: bool, after: tuple[str, ...] = ()
) -> Plan:
    if needs:
        flags = "--no-dev --no-interaction --no-progress --optimize-autoloader --prefer-dist"
        locked = source.has("composer.lock")
        plan = replace(
            plan,
            package_manager="composer",
            install_command=" && ".join([f"composer install {flags}", *after]),
            lock_file=source.named("composer.lock") if locked else None,
            cache_directories=(join(source.root, "vendor"), *plan.cache_directories),
            env={"COMPOSER_HOME": "/tmp/composer", **plan.env},  # noqa: S108 - the sandbox's own
        )
    also = ("composer",) if needs else ()
    return built_with("php", source, installed, plan, also=also)
