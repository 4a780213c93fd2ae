// From the YAML to a release: where to, what would happen, a last question, and what became of it.
import { api, ApiError, icon, make, one } from "../dom.ts";
import { t, tn } from "../words.ts";
import type { Data, Document } from "./model.ts";

interface Cluster {
  id: string;
  name: string;
}

interface Planned {
  kind: string;
  name: string;
  namespace: string;
  action: string;
  message: string;
  changes: { path: string; before: unknown; after: unknown }[];
  conflicts: string[];
  immutable: string[];
}

interface Plan {
  digest: string;
  isRefused: boolean;
  findings: { severity: string; skipped: string | null }[];
  documents: Planned[];
  prunes: Planned[];
  needsNamespace: boolean;
}

interface Release {
  id: string;
  name: string;
  revision: number;
  status: string;
  reason: string | null;
  newest: { status: string; reason: string | null } | null;
}

/** What the builder gives: the text as it stands, and the form where it still agrees with it. */
export interface Made {
  yaml: string;
  form: Data | null;
  documents: Document[];
  profile: string;
}

const ENDED = new Set(["deployed", "failed", "partial", "cancelled", "deleted"]);
const LOOKS: Record<string, [string, string]> = {
  create: ["ok", "plus"],
  change: ["warned", "pencil"],
  unchanged: ["off", "check"],
  later: ["off", "clock"],
  prune: ["bad", "trash-2"],
};

export class Deploy {
  private plan: Plan | null = null;
  private asked: Data = {};

  constructor(
    private readonly root: HTMLElement,
    private readonly made: () => Made,
    private readonly agreed: (question: string, rest: string, yes: string) => Promise<boolean>,
  ) {
    one("[data-plan]", root).addEventListener("click", () => void this.ask());
    one("[data-go]", root).addEventListener("click", () => void this.go());
  }

  /** The pane is opened: clusters are asked for, names filled in. */
  async open(name: string): Promise<void> {
    const input = one<HTMLInputElement>("#deploy-name", this.root);
    input.value ||= name;
    const select = one<HTMLSelectElement>("#deploy-cluster", this.root);
    try {
      const clusters = (await api<Cluster[]>("/api/clusters?limit=100")).data;
      const before = select.value;
      select.replaceChildren(...clusters.map((cluster) => make("option", { value: cluster.id }, cluster.name)));
      if (before) select.value = before;
      one("[data-no-cluster]", this.root).hidden = clusters.length > 0;
      one<HTMLButtonElement>("[data-plan]", this.root).disabled = clusters.length === 0;
    } catch (error) {
      this.wrong(error);
    }
  }

  private async ask(): Promise<void> {
    const { yaml, form, profile, documents } = this.made();
    const value = (id: string): string => one<HTMLInputElement | HTMLSelectElement>(`#deploy-${id}`, this.root).value.trim();
    const namespace = String(form?.["namespace"] ?? documents.find((each) => each.namespace)?.namespace ?? "");
    this.asked = {
      clusterId: value("cluster"),
      name: value("name"),
      environment: value("environment"),
      profile: profile === "lab" ? "baseline" : profile,
      manifest: yaml,
      ...(form ? { form } : {}),
      ...(namespace ? { namespace } : {}),
      createNamespace: true,
    };
    this.said("");
    this.show(null);
    try {
      this.plan = await this.post<Plan>("/api/releases/plan");
      this.show(this.plan);
    } catch (error) {
      this.wrong(error);
    }
  }

  /** What would become of each document, and whether it may go on. */
  private show(plan: Plan | null): void {
    this.plan = plan;
    const box = one("[data-planned]", this.root);
    box.hidden = plan === null;
    if (!plan) return;
    const rows = [...plan.documents, ...plan.prunes].map((each) => row(each));
    one("ul", box).replaceChildren(...rows);
    const errors = plan.findings.filter((each) => !each.skipped && each.severity === "error").length;
    const button = one<HTMLButtonElement>("[data-go]", this.root);
    button.disabled = plan.isRefused;
    if (plan.isRefused) this.said(errors ? tn("{n} error stops it. Mend it first.", "{n} errors stop it. Mend them first.", errors) : t("The cluster refuses this."), true);
  }

  private async go(): Promise<void> {
    const { plan } = this;
    if (!plan) return;
    const { documents } = this.made();
    const kinds = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"];
    const workloads = documents.filter((each) => kinds.includes(each.kind)).length;
    const cluster = one<HTMLSelectElement>("#deploy-cluster", this.root).selectedOptions[0]?.textContent ?? "";
    const facts = {
      namespace: String(this.asked["namespace"] ?? "default"),
      cluster,
      environment: String(this.asked["environment"]),
      workloads: tn("{n} workload", "{n} workloads", workloads),
      others: tn("{n} other object", "{n} other objects", documents.length - workloads),
    };
    const warnings = plan.findings.filter((each) => !each.skipped && each.severity === "warning").length;
    const rest = [
      t("{workloads} and {others} go into the namespace {namespace} of {cluster}, as {environment}.", facts),
      plan.prunes.length ? tn("{n} object is taken away.", "{n} objects are taken away.", plan.prunes.length) : "",
      warnings ? tn("You take {n} warning upon yourself.", "You take {n} warnings upon yourself.", warnings) : "",
    ];
    if (!(await this.agreed(t("Deploy {name}?", { name: String(this.asked["name"]) }), rest.filter((part) => part).join(" "), t("Deploy")))) return;
    const button = one<HTMLButtonElement>("[data-go]", this.root);
    button.setAttribute("aria-busy", "true");
    try {
      const release = await this.post<Release>("/api/releases", plan.digest ? { confirm: plan.digest } : {});
      await this.follow(release);
    } catch (error) {
      this.wrong(error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** Until it has ended, well or not. */
  private async follow(release: Release): Promise<void> {
    let now = release;
    for (;;) {
      const status = now.newest?.status ?? now.status;
      const reason = now.newest?.reason ?? now.reason;
      const has = ENDED.has(status.toLowerCase());
      this.said([t("{name}, revision {n}: {status}.", { name: now.name, n: String(now.revision), status: status.toLowerCase().replaceAll("_", " ") }), reason ?? ""].join(" ").trim(), has && status.toLowerCase() !== "deployed");
      if (has || !this.root.isConnected) return;
      await new Promise((go) => window.setTimeout(go, 1500));
      now = (await api<Release>(`/api/releases/${release.id}`)).data;
    }
  }

  private async post<T>(path: string, more: Data = {}): Promise<T> {
    const body = JSON.stringify({ ...this.asked, ...more });
    return (await api<T>(path, { method: "POST", body, headers: { "Content-Type": "application/json" } })).data;
  }

  private wrong(error: unknown): void {
    const fields = error instanceof ApiError ? ((error.details["fields"] ?? []) as { field: string; message: string }[]) : [];
    const told = fields.map((field) => `${field.field}: ${field.message}`).join(" ");
    this.said(told || (error instanceof Error ? error.message : String(error)), true);
  }

  private said(words: string, isBad = false): void {
    const box = one("[data-deploy-said]", this.root);
    box.hidden = words === "";
    box.className = `note ${isBad ? "bad" : "ok"}`;
    box.replaceChildren(icon(isBad ? "circle-alert" : "rocket"), make("div", {}, words));
  }
}

function row(each: Planned): HTMLElement {
  const [look, symbol] = LOOKS[each.action] ?? ["bad", "circle-x"];
  const words: Record<string, string> = {
    create: t("new"),
    change: t("changes"),
    unchanged: t("stays"),
    later: t("seen later"),
    prune: t("goes"),
    recreate: t("made anew"),
    conflict: t("conflict"),
    immutable: t("cannot change"),
    refused: t("refused"),
  };
  const text = (value: unknown): string => (value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
  const changes = each.changes.map((change) => make("li", { class: "mono" }, `${change.path}: `, make("del", {}, text(change.before)), " ", make("ins", {}, text(change.after))));
  const told = [each.message, ...each.conflicts, ...each.immutable].filter((part) => part).join(" ");
  return make(
    "li",
    {},
    make("span", { class: `status ${look}` }, icon(symbol), words[each.action] ?? each.action),
    make("span", { class: "grow" }, make("span", { class: "mono" }, `${each.kind} ${each.name}`), ...(told ? [make("span", { class: "sub" }, told)] : []),
      ...(changes.length ? [make("details", {}, make("summary", {}, tn("{n} field", "{n} fields", changes.length)), make("ul", { class: "changes" }, ...changes))] : [])),
  );
}
