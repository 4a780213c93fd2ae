"""What the panel of these tests answers, route by route, checked as the real server checks."""

import hashlib
import json
import threading
from typing import Any

from tests.cli.panel import EMAIL, FINISHED, Call, Panel


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        self.status, self.code, self.message, self.details = status, code, message, details


class Answers:
    """The routes of a panel. Methods are called as the first word of a path below /api."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def of(self, call: Call) -> tuple[int, Any, dict[str, Any] | None]:
        words = call.path.strip("/").split("/")
        if words[0] != "api":
            raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
        with self.panel.changed:
            answer = getattr(self, f"_{words[1]}")(call, words[2:])
            self.panel.changed.notify_all()
        if isinstance(answer, tuple):
            return answer if len(answer) == 3 else (*answer, None)
        return 200, answer, None

    def _auth(self, call: Call, words: list[str]) -> Any:
        match call.method, words:
            case "POST", ["device"]:
                self.panel.clients.append(json.loads(call.body)["client"])
                return 201, {
                    "deviceCode": "wd_1",
                    "userCode": "WDJB-MJHT",
                    "verificationUri": f"{self.panel.url}/device",
                    "verificationUriComplete": f"{self.panel.url}/device?code=WDJB-MJHT",
                    "expiresIn": 600,
                    "interval": 0,
                }
            case "POST", ["device", "token"]:
                assert json.loads(call.body) == {"deviceCode": "wd_1"}
                if self.panel.device_answers:
                    reason = self.panel.device_answers.pop(0)
                    raise Refused(400, "BAD_REQUEST", "Not yet.", reason=reason)
                made = self.panel.name("tok")
                self.panel.tokens[made] = f"wl_{made}"
                return 201, {"id": made, "name": "laptop", "token": f"wl_{made}"}
            case "GET", ["me"]:
                return {"id": "user_1", "email": EMAIL, "name": "Owner"}
            case "DELETE", ["tokens", "current"]:
                mine = call.headers["authorization"].removeprefix("Bearer ")
                self.panel.tokens = {k: v for k, v in self.panel.tokens.items() if v != mine}
                return None
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _blobs(self, call: Call, words: list[str]) -> Any:
        match call.method, words:
            case "POST", ["missing"]:
                hashes = json.loads(call.body)["hashes"]
                assert len(hashes) <= 10_000
                return {"missing": [one for one in hashes if one not in self.panel.blobs]}
            case "PUT", [sha256]:
                if hashlib.sha256(call.body).hexdigest() != sha256:
                    raise Refused(400, "BAD_REQUEST", "The content does not have this digest.")
                self.panel.blobs[sha256] = call.body
                return 201, None
            case "POST", []:
                return {"stored": self._unpack(call.body)}
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _unpack(self, body: bytes) -> int:
        assert len(body) <= 32 << 20
        at = stored = 0
        while at < len(body):
            digest, size = body[at : at + 32], int.from_bytes(body[at + 32 : at + 40], "big")
            content = body[at + 40 : at + 40 + size]
            assert len(content) == size
            assert hashlib.sha256(content).digest() == digest
            self.panel.blobs[digest.hex()] = content
            at += 40 + size
            stored += 1
        return stored

    def _clusters(self, call: Call, words: list[str]) -> Any:
        kept = self.panel.clusters
        match call.method, words:
            case "GET", []:
                return list(kept.values())
            case "POST", []:
                told = json.loads(call.body)
                id = f"cls_{len(kept)}"
                server = told.get("server", "https://k.example.com")
                kept[id] = {"id": id, "name": told["name"], "server": server}
                return 201, kept[id] | {"test": {"state": "testing"}}
            case "GET", [id]:
                powers = [{"verb": "create", "resource": "namespaces", "allowed": False}]
                facts = {"version": "v1.33.2", "user": "ada", "powers": powers}
                return kept[id] | {"test": self.panel.cluster_test, "facts": facts}
            case (("POST" | "PUT"), [id, _]):
                return 202, kept[id] | {"test": {"state": "testing"}}
            case "DELETE", [id]:
                del kept[id]
                return None
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _sources(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "POST", ["archive"]:
                return 201, self._source("archive", call.query["name"], archive=call.body)
            case "POST", []:
                told = json.loads(call.body)
                if "repositoryUrl" in told:
                    return 202, self._source("git", told["repositoryUrl"], status="pending")
                return 201, self._upload(told)
            case "GET", [source_id]:
                source = panel.sources[source_id]
                if source["status"] == "pending":
                    source["status"] = "error" if panel.git_error else "ready"
                    wrong = {"code": "GIT_FAILED", "message": panel.git_error}
                    source["error"] = wrong if panel.git_error else None
                return self._planned(source)
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _upload(self, told: dict[str, Any]) -> dict[str, Any]:
        panel, files = self.panel, told["files"]
        if panel.forget_blobs_once:
            panel.forget_blobs_once = False
            panel.blobs.clear()
        total = sum(one["size"] for one in files)
        if panel.largest_source is not None and total > panel.largest_source:
            message = f"This is too large: {total} bytes of at most {panel.largest_source}."
            raise Refused(
                413, "PAYLOAD_TOO_LARGE", message, limitBytes=panel.largest_source, foundBytes=total
            )
        contents = [one for one in files if one["mode"] != "link"]
        missing = [one["sha256"] for one in contents if one["sha256"] not in panel.blobs]
        if missing:
            raise Refused(409, "CONFLICT", "Blobs are missing.", missing=missing)
        assert all(len(panel.blobs[one["sha256"]]) == one["size"] for one in contents)
        return self._source("upload", told.get("name", ""), files=files)

    def _source(self, kind: str, name: str, **more: Any) -> dict[str, Any]:
        source: dict[str, Any] = {
            "id": self.panel.name("src"),
            "kind": kind,
            "status": "ready",
            "error": None,
            "plan": None,
            "planError": None,
            "branch": None,
            "suggestedName": name,
            **{key: value for key, value in more.items() if key != "archive"},
        }
        self.panel.sources[source["id"]] = source
        return source

    def _planned(self, source: dict[str, Any]) -> dict[str, Any]:
        """The plan comes with the source only when it is asked for by id."""
        if self.panel.plan_error:
            wrong = {"code": "NOTHING_DETECTED", "message": self.panel.plan_error}
            return {**source, "planError": wrong, "imports": self.panel.imports}
        plan = {
            "framework": "static",
            "label": "Static files",
            "kind": "static",
            "rootDirectory": ".",
            "outputDirectory": "public",
            "evidence": ["public/index.html exists"],
            "warnings": [],
        }
        return {**source, "plan": plan, "imports": self.panel.imports}

    def _admin(self, call: Call, words: list[str]) -> Any:
        assert (call.method, words) == ("GET", ["disk"])
        return self.panel.disk

    def _projects(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "GET", []:
                found = sorted(panel.projects.values(), key=lambda one: one["name"])
                return self._page(found, call)
            case "POST", []:
                told = json.loads(call.body)
                if len(told["name"]) > 100:
                    wrong = [{"field": "name", "message": "At most 100 characters."}]
                    raise Refused(422, "VALIDATION_ERROR", "Validation failed", fields=wrong)
                return 201, panel.add_project(told.pop("name"), **told)
            case "GET", ["by-slug", slug]:
                return existing(
                    next((one for one in panel.projects.values() if one["slug"] == slug), None)
                )
            case "GET", [project_id]:
                return existing(panel.projects.get(project_id))
            case "DELETE", [project_id, "caches"]:
                existing(panel.projects.get(project_id))
                return None
            case "DELETE", [project_id]:
                return existing(panel.projects.pop(project_id, None))
            case "GET", [project_id, "previews"]:
                return panel.previews.get(project_id, [])
            case "POST", [project_id, "previews", _, "approve"]:
                project = existing(panel.projects.get(project_id))
                return 201, panel.add_deployment(project, isPreview=True, status="queued")
            case "DELETE", [project_id, "previews", id]:
                kept = [one for one in panel.previews[project_id] if one["id"] != id]
                panel.previews[project_id] = kept
                return None
            case _, [project_id, "registries", *rest]:
                return self._logins(call, project_id, rest)
            case _, [project_id, "env", *rest]:
                return self._env(call, project_id, rest)
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _logins(self, call: Call, project_id: str, rest: list[str]) -> Any:
        kept = self.panel.logins.setdefault(project_id, [])
        match call.method, rest:
            case "GET", []:
                return kept
            case "POST", []:
                told = json.loads(call.body)
                del told["password"]
                kept.append({"id": f"reg_{len(kept)}", **told, "updatedAt": "2026-02-01T00:00:00Z"})
                return 201, kept[-1]
            case _, [*id]:
                kept[:] = [one for one in kept if [one["id"]] != id]
                return None

    def _env(self, call: Call, project_id: str, rest: list[str]) -> Any:
        variables = self.panel.variables[project_id]
        match call.method, rest:
            case "GET", []:
                return [self._masked(one) for one in variables.values()]
            case "POST", []:
                told = json.loads(call.body)
                made: list[dict[str, Any]] = []
                for target in told.pop("targets", ["production", "preview"]):
                    one = {"id": self.panel.name("env"), "target": target, **told}
                    variables[f"{told['key']}/{target}"] = one
                    made.append(self._masked(one))
                return 201, made
            case "DELETE", [variable_id]:
                key = next(k for k, one in variables.items() if one["id"] == variable_id)
                return self._masked(variables.pop(key))
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _masked(self, variable: dict[str, Any]) -> dict[str, Any]:
        return {**variable, "value": None if variable["secret"] else variable["value"]}

    def _deployments(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "GET", []:
                return self._page(self._filtered(call.query), call)
            case "POST", []:
                return 201, self._create(json.loads(call.body))
            case "GET", [deployment_id]:
                return existing(panel.deployments.get(deployment_id))
            case "GET", [deployment_id, "logs"]:
                after = int(call.query.get("after", -1))
                level = call.query.get("level")
                lines = [one for one in panel.logs[deployment_id] if one["seq"] > after]
                chosen = [one for one in lines if level in {None, one["level"]}]
                return chosen[: int(call.query["limit"])]
            case "GET", [deployment_id, "receipt"]:
                return panel.receipt | {"deploymentId": deployment_id}
            case "GET", [deployment_id, "diff"]:
                return panel.diff | {"comparedWith": call.query.get("compareWith")}
            case "POST", [deployment_id, "trigger"]:
                old = existing(panel.deployments.get(deployment_id))
                project = panel.projects[old["projectId"]]
                made = panel.add_deployment(project, status="queued")
                threading.Thread(target=panel.run, args=(made,), daemon=True).start()
                return 201, dict(made)
            case "GET", [_, "logs", "runtime"]:
                fits = [
                    one
                    for one in panel.output
                    if call.query.get("process") in {None, one["process"]}
                    and call.query.get("search", "") in one["message"]
                ]
                start, limit = int(call.query.get("cursor", 0)), int(call.query["limit"])
                more = start + limit < len(fits)
                page = {"cursor": str(start + limit) if more else None, "hasMore": more}
                return 200, fits[::-1][start : start + limit], page
            case "POST", [deployment_id, verb]:
                return self._act(existing(panel.deployments.get(deployment_id)), verb)
            case _:
                pass
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _create(self, told: dict[str, Any]) -> dict[str, Any]:
        project = existing(self.panel.projects.get(told["projectId"]))
        assert told["sourceId"] in self.panel.sources
        made = self.panel.add_deployment(
            project,
            status="queued",
            isPreview=not told["production"],
            branch=told.get("branch"),
            commitSha=told.get("commitSha"),
            commitMessage=told.get("commitMessage"),
        )
        threading.Thread(target=self.panel.run, args=(made,), daemon=True).start()
        return dict(made)

    def _act(self, deployment: dict[str, Any], verb: str) -> Any:
        if verb == "cancel":
            if deployment["status"] in FINISHED:
                raise Refused(409, "CONFLICT", "The deployment has ended.")
            deployment["status"] = "cancelled"
        elif deployment["status"] != "ready":
            raise Refused(409, "CONFLICT", f"A {deployment['status']} deployment cannot go live.")
        elif self.panel.switch_fails:
            self.panel.write_log(deployment["id"], "error", "deploy", self.panel.switch_fails)
        else:
            self.panel.activate(deployment)
            deployment["promotedAt"] = "2026-02-01T00:00:00Z"
        return 202, deployment

    def _filtered(self, query: dict[str, str]) -> list[dict[str, Any]]:
        found = reversed(self.panel.deployments.values())
        statuses = query.get("status", "").split(",") if "status" in query else None
        preview = query.get("isPreview")
        return [
            one
            for one in found
            if query.get("projectId") in {None, one["projectId"]}
            and (statuses is None or one["status"] in statuses)
            and (preview is None or str(one["isPreview"]).lower() == preview)
        ]

    def _page(self, found: list[dict[str, Any]], call: Call) -> Any:
        start, limit = int(call.query.get("cursor", 0)), min(int(call.query["limit"]), 100)
        more = start + limit < len(found)
        page = {"cursor": str(start + limit) if more else None, "hasMore": more}
        return 200, found[start : start + limit], page

    def _doctor(self, call: Call, words: list[str]) -> Any:
        return self.panel.findings

    def _status(self, call: Call, words: list[str]) -> Any:
        return {"version": "0.1.0", "url": self.panel.url, "projects": len(self.panel.projects)}


def existing(one: dict[str, Any] | None) -> dict[str, Any]:
    if one is None:
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
    return one
