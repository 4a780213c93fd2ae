"""Every command of `windlass` in one table, so that help and completion import none of them."""

from typing import NamedTuple


class Row(NamedTuple):
    """Where a command lives ("module:name of a click command"), its one-line help, its heading."""

    target: str
    help: str
    section: str = "Deploy"
    needs_server: bool = False


_HERE = "windlass.cli.commands"

COMMANDS: dict[str, Row] = {
    "deploy": Row(f"{_HERE}.deploy:deploy", "Put a folder, an archive or a Git repository online."),
    "plan": Row(f"{_HERE}.plan:plan", "Show how a folder would be built, without deploying."),
    "import": Row(f"{_HERE}.imports:import_files", "Show what files of other hosts become here."),
    "logs": Row(f"{_HERE}.logs:logs", "Show the log of a deployment."),
    "rollback": Row(f"{_HERE}.switch:rollback", "Go back to an earlier deployment, at once."),
    "promote": Row(f"{_HERE}.switch:promote", "Make a preview the production deployment."),
    "redeploy": Row(f"{_HERE}.switch:redeploy", "Build the same source once more."),
    "cancel": Row(f"{_HERE}.switch:cancel", "Cancel a deployment that is still running."),
    "deployments": Row(f"{_HERE}.deployments:deployments", "List deployments."),
    "receipt": Row(f"{_HERE}.receipt:receipt", "Show what came of a switch of production."),
    "diff": Row(f"{_HERE}.diff:diff", "Show what differs between two deployments."),
    "projects": Row(
        f"{_HERE}.projects:projects", "List, create, show and delete projects.", "Project"
    ),
    "cache": Row(f"{_HERE}.cache:cache", "What is kept between builds: clean it.", "Project"),
    "previews": Row(
        f"{_HERE}.previews:previews", "List previews, let a fork in, remove one.", "Project"
    ),
    "link": Row(f"{_HERE}.link:link", "Tie this folder to a project.", "Project"),
    "git": Row(f"{_HERE}.git:git", "Deploy with `git push windlass main`.", "Project"),
    "env": Row(f"{_HERE}.env:env", "List, set, unset and pull environment variables.", "Project"),
    "registries": Row(
        f"{_HERE}.registries:registries",
        "Logins for private images: list, log in, log out.",
        "Project",
    ),
    "open": Row(f"{_HERE}.look:open_site", "Open the project's site in the browser.", "Project"),
    "status": Row(f"{_HERE}.look:status", "Show what is live and what is running.", "Project"),
    "charts": Row(
        f"{_HERE}.charts:charts", "Kubernetes manifests: make, check and mend them.", "Kubernetes"
    ),
    "releases": Row(
        f"{_HERE}.releases:releases",
        "What is deployed on clusters: plan, apply, undo.",
        "Kubernetes",
    ),
    "clusters": Row(
        f"{_HERE}.clusters:clusters",
        "Kubernetes clusters: list, add, show, try, open, rm.",
        "Kubernetes",
    ),
    "login": Row(f"{_HERE}.account:login", "Sign in to a Windlass server.", "Account"),
    "logout": Row(f"{_HERE}.account:logout", "Sign out and forget the server.", "Account"),
    "whoami": Row(f"{_HERE}.account:whoami", "Show the server and the account in use.", "Account"),
    "tokens": Row(
        f"{_HERE}.tokens:tokens", "List, create, rename and revoke API tokens.", "Account"
    ),
    "teams": Row(
        f"{_HERE}.teams:teams", "Your teams: list, create, show, invite, remove.", "Account"
    ),
    "audit": Row(f"{_HERE}.audit:audit", "Show who did what, or export it.", "Account"),
    "disk": Row(f"{_HERE}.disk:disk", "Show where the bytes of the server went.", "Account"),
    "doctor": Row(f"{_HERE}.look:doctor", "Check this machine and the server.", "Account"),
    "completion": Row(
        f"{_HERE}.completion:completion", "Print a shell completion script.", "Account"
    ),
    "up": Row("windlass.up:command", "Start Windlass on this machine.", "Server", True),
    "setup-link": Row(
        "windlass.up:setup_link", "Print the link that sets the owner's password.", "Server", True
    ),
    "keys": Row("windlass.keys:command", "Make and rotate the instance's keys.", "Server", True),
    "web": Row("windlass.control:web", "Run the control plane alone.", "Server", True),
    "worker": Row("windlass.control:work", "Run the build worker alone.", "Server", True),
    "edge": Row("windlass.up:edge", "Run the edge alone.", "Server", True),
    "nginx-config": Row(
        "windlass.up:nginx_config", "Print the nginx file for these sites.", "Server", True
    ),
}
