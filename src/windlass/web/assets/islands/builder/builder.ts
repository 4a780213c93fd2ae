// The builder: a form and its YAML side by side. The server makes the manifests and checks them; an
// answer that is not the newest is dropped. Edited YAML is what counts, until the form is used again.
import { all, ApiError, copy, icon, make, one } from "../dom.ts";
import { toast } from "../toasts.ts";
import { t, tn } from "../words.ts";
import { forget, keep, kept } from "./draft.ts";
import { Deploy, type Made } from "./deploy.ts";
import { Editor } from "./editor.ts";
import { drawPart, type Host } from "./fields.ts";
import { type Flaw, listed, place, summed } from "./findings.ts";
import { Import } from "./import.ts";
import { ask, at, type Checked, copied, type Data, type Document, type Finding, type Fixed, freeName, type Generated, list, loadModel, type Model, type Path, set, unfolded, type Value } from "./model.ts";
import { begun, type Chosen, drawOutline, type Group, isItem, kindOf, pathOf, titleOf } from "./outline.ts";
import type { Spot } from "./yaml.ts";

const PAUSE_MS = 250;

export async function mount(root: HTMLElement): Promise<void> {
  try {
    new Builder(root, await loadModel());
  } catch (error) {
    toast("bad", error instanceof Error ? error.message : String(error));
  }
}

class Builder {
  private form: Data = { workloads: [] };
  private chosen: Chosen = { name: "application" };
  private findings: Finding[] = [];
  private flaws: Flaw[] = [];
  private isEdited = false;
  private asked: AbortController | null = null;
  private timer = 0;
  private documents: Document[] = [];
  private readonly editor: Editor;
  private readonly deploy: Deploy;
  private readonly host: Host;
  private readonly said = new Map<string, Promise<string>>();

  constructor(
    private readonly root: HTMLElement,
    private readonly model: Model,
  ) {
    this.editor = new Editor(one("[data-editor]", root), { edited: () => this.onEdited(), pointed: (spot) => this.meaning(spot) });
    this.host = {
      model,
      value: (path) => at(this.form, path),
      change: (path, value, isStructure) => this.change(path, value, isStructure),
      again: (focus) => this.drawFields(focus),
    };
    const made = (): Made => ({ yaml: this.editor.text, form: this.isEdited ? null : this.form, documents: this.documents, profile: this.settings().profile });
    this.deploy = new Deploy(one("[data-deploy]", root), made, agreed);
    new Import(root, (form, isWhole) => this.take(form, isWhole));
    this.fillChoices();
    this.listen();
    const before = kept();
    const given = root.dataset["draft"];
    if (given) this.form = unfolded(JSON.parse(given) as Data);
    else if (before) this.resume(before);
    if (!given && before?.lost) toast("ok", t("Your draft is back, without the values of secrets."));
    this.draw();
    root.dataset["ready"] = "";
    if (this.isEdited) void this.check();
    else void this.generate();
  }

  private resume(before: NonNullable<ReturnType<typeof kept>>): void {
    this.form = before.form;
    this.chosen = !isItem(before.chosen) ? { name: "application" } : before.chosen;
    if (isItem(this.chosen) && !at(this.form, pathOf(this.chosen))) this.chosen = { name: "application" };
    one<HTMLSelectElement>("[data-profile]", this.root).value = before.profile || "baseline";
    one<HTMLSelectElement>("[data-kubernetes]", this.root).value = before.kubernetes;
    if (before.text !== null) {
      this.editor.show(before.text);
      this.setEdited(true);
    }
  }

  // -- what is drawn ------------------------------------------------------------------------------

  private draw(): void {
    this.drawOutline();
    this.drawFields();
  }

  private drawOutline(): void {
    drawOutline(this.root, this.form, this.chosen, this.findings, this.flaws, (next) => this.choose(next));
  }

  private drawFields(focus?: string): void {
    const box = one("[data-fields]", this.root);
    const isImport = this.chosen.name === "import";
    const isDeploy = this.chosen.name === "deploy";
    box.hidden = isImport || isDeploy;
    one("[data-import]", this.root).hidden = !isImport;
    one("[data-deploy]", this.root).hidden = !isDeploy;
    one("[data-item-actions]", this.root).hidden = !isItem(this.chosen);
    const active = document.activeElement?.id;
    const title = one("#part-title", this.root);
    if (isItem(this.chosen)) {
      const item = this.item() ?? {};
      title.replaceChildren(titleOf(item), " ", make("span", { class: "tag" }, kindOf(item)));
      const type = String(item["type"] ?? "Deployment");
      const part = this.chosen.name === "workloads" ? "Workload" : type;
      box.replaceChildren(...(this.chosen.name === "workloads" ? [this.typeChoice(type)] : []), ...drawPart(this.host, part, pathOf(this.chosen), type));
    } else {
      title.textContent = isImport ? t("Import") : isDeploy ? t("Deploy") : t("Application");
      if (!isImport && !isDeploy) box.replaceChildren(...drawPart(this.host, "Application", []));
    }
    this.placeFindings();
    if (focus) box.querySelector<HTMLElement>(`[data-path="${CSS.escape(focus)}"] :is(input, select, textarea, summary)`)?.focus();
    else if (active) document.getElementById(active)?.focus();
  }

  /** The type of a workload: what one has and the other has not stays in the form. */
  private typeChoice(type: string): HTMLElement {
    const box = make("select", { id: "b-type", autocomplete: "off" }, ...this.model.workloadTypes.map((one) => make("option", { value: one }, one)));
    box.value = type;
    box.addEventListener("change", () => {
      void this.change([...pathOf(this.chosen), "type"], box.value, true).then((isDone) => {
        if (!isDone) box.value = type;
        else if (box.value === "CronJob" && !at(this.form, [...pathOf(this.chosen), "cronJob"])) set(this.form, [...pathOf(this.chosen), "cronJob"], { schedule: "@daily" });
        this.drawFields();
      });
    });
    return make("div", { class: "field" }, make("label", { for: "b-type" }, t("Type")), make("div", { class: "control" }, box));
  }

  private placeFindings(): void {
    const deeds = { fix: (finding: Finding) => void this.fix(finding), go: (finding: Finding) => this.go(finding) };
    place(one("[data-fields]", this.root), this.isEdited ? [] : this.findings, this.flaws, deeds);
    one("[data-findings]", this.root).replaceChildren(...listed(this.findings, deeds));
    const fixable = this.findings.filter((each) => each.fixable && !each.skipped);
    one<HTMLButtonElement>("[data-fix-all]", this.root).disabled = fixable.length === 0;
    const counted = this.findings.filter((each) => !each.skipped && each.severity !== "info").length;
    one("[data-count]", this.root).textContent = counted ? String(counted) : "";
    this.editor.mark(this.findings.filter((each) => !each.skipped).map((each) => ({ line: each.line, severity: each.severity, text: each.message })));
  }

  private fillChoices(): void {
    const types: Record<string, string[]> = { workloads: this.model.workloadTypes, resources: this.model.resourceTypes };
    for (const select of all<HTMLSelectElement>("[data-add]", this.root)) {
      for (const type of types[select.dataset["add"] ?? ""] ?? []) select.append(make("option", { value: type }, type));
    }
  }

  private state(look: string, symbol: string, words: string): void {
    const box = one("[data-state]", this.root);
    box.className = `status ${look}`;
    box.replaceChildren(icon(symbol), words);
  }

  // -- what people do -----------------------------------------------------------------------------

  private listen(): void {
    const on = (selector: string, act: (element: HTMLElement) => void): void => {
      for (const element of all(selector, this.root)) element.addEventListener("click", () => act(element));
    };
    on("[data-select]", (button) => this.choose({ name: button.dataset["select"] as "application" | "import" | "deploy" }));
    on("[data-act]", (button) => void this.act(button.dataset["act"] ?? ""));
    on("[data-again]", () => void this.startOver());
    on("[data-recover]", () => void this.recover());
    on("[data-discard]", () => this.discard());
    on("[data-fix-all]", () => void this.fix(null));
    on("[data-copy-yaml]", () => void copy(this.editor.text).then(() => toast("ok", t("Copied"))));
    on("[data-download]", () => this.download());
    on("[data-show]", (button) => this.show(button.dataset["show"] ?? "form"));
    on("[data-secrets]", (button) => {
      const isShown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isShown));
      this.editor.reveal(isShown);
    });
    for (const select of all<HTMLSelectElement>("[data-add]", this.root)) {
      select.addEventListener("change", () => {
        const type = select.value;
        select.value = "";
        if (type) void this.add(select.dataset["add"] as Group, type);
      });
    }
    for (const select of all<HTMLSelectElement>("[data-profile], [data-kubernetes]", this.root)) {
      select.addEventListener("change", () => (this.isEdited ? void this.check() : void this.generate()));
    }
    let timer = 0;
    document.addEventListener("selectionchange", () => {
      if (document.activeElement !== this.editor.area) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void this.meaning(this.editor.here()).then((said) => this.hint(said)), PAUSE_MS);
    });
  }

  private hint(said: string): void {
    one("[data-hint]", this.root).textContent = said || "\u00a0";
  }

  private choose(next: Chosen): void {
    this.chosen = next;
    this.draw();
    this.show("form");
    if (next.name === "deploy") void this.deploy.open(String(this.form["name"] || list(this.form["workloads"])[0]?.["name"] || "app"));
    this.keep();
  }

  /** On a small screen one of the three is shown. */
  private show(what: string): void {
    this.root.dataset["shows"] = what;
    for (const button of all("[data-show]", this.root)) button.setAttribute("aria-pressed", String(button.dataset["show"] === what));
  }

  /** Changes the form. False when somebody would rather keep the YAML that was edited by hand. */
  private async change(path: Path, value: Value | undefined, isStructure = false): Promise<boolean> {
    if (this.isEdited && !(await this.mayOverwrite())) {
      this.drawFields();
      return false;
    }
    set(this.form, path, value);
    const isName = path.length === 3 && path[2] === "name";
    if (isStructure || isName) this.drawOutline();
    if (isName && isItem(this.chosen)) one("#part-title", this.root).firstChild!.textContent = titleOf(this.item() ?? {});
    this.later();
    return true;
  }

  private async mayOverwrite(): Promise<boolean> {
    const question = t("Make the YAML anew?");
    const rest = t("It was edited by hand. A change of the form makes it anew, and the edits are gone. To keep them, read the YAML into the form first.");
    if (!(await agreed(question, rest, t("Make it anew")))) return false;
    this.setEdited(false);
    return true;
  }

  private async add(group: Group, type: string): Promise<void> {
    const items = list(this.form[group]);
    const item = begun(group, type);
    if (item["name"]) item["name"] = freeName(String(item["name"]), items);
    if (!(await this.change([group], [...items, item], true))) return;
    this.choose({ name: group, index: items.length });
    const field = group === "workloads" ? `${group}.${items.length}.containers.0.image` : `${group}.${items.length}.name`;
    document.getElementById(`b-${field}`)?.focus();
  }

  private async act(what: string): Promise<void> {
    if (!isItem(this.chosen)) return;
    const { name, index } = this.chosen;
    const items = [...list(this.form[name])];
    const item = items[index];
    if (!item) return;
    let next = index;
    if (what === "remove") {
      items.splice(index, 1);
      next = Math.min(index, items.length - 1);
    } else if (what === "duplicate") {
      items.splice(index + 1, 0, copied(item, items));
      next = index + 1;
    } else {
      next = index + (what === "up" ? -1 : 1);
      if (next < 0 || next >= items.length) return;
      items.splice(index, 1);
      items.splice(next, 0, item);
    }
    if (!(await this.change([name], items, true))) return;
    // What was taken away leaves its place to its neighbour.
    this.choose(next < 0 ? { name: "application" } : { name, index: next });
    if (what === "remove") {
      toast("ok", t("{name} is removed.", { name: titleOf(item) }));
      one("#part-title", this.root).focus();
    }
  }

  private async startOver(): Promise<void> {
    if (!(await agreed(t("Start over?"), t("The form and the YAML are emptied."), t("Start over")))) return;
    forget();
    this.setEdited(false);
    this.form = { workloads: [] };
    this.choose({ name: "application" });
    this.later();
  }

  private discard(): void {
    this.setEdited(false);
    void this.generate();
  }

  private take(form: Data, isWhole: boolean): void {
    this.setEdited(false);
    this.form = unfolded(form);
    if (isWhole) this.choose(list(this.form["workloads"]).length ? { name: "workloads", index: 0 } : { name: "application" });
    else this.drawOutline();
    void this.generate();
  }

  private download(): void {
    const link = make("a", { download: `${String(this.form["namespace"] || this.form["name"] || "manifests")}.yaml` });
    link.href = URL.createObjectURL(new Blob([this.editor.text], { type: "application/yaml" }));
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  private go(finding: Finding): void {
    this.show("code");
    this.editor.go(finding.line);
  }

  // -- what the server answers --------------------------------------------------------------------

  private onEdited(): void {
    this.setEdited(true);
    this.later();
  }

  private setEdited(isEdited: boolean): void {
    if (this.isEdited === isEdited) return;
    this.isEdited = isEdited;
    one("[data-edited]", this.root).hidden = !isEdited;
    if (isEdited) this.flaws = [];
  }

  private later(): void {
    window.clearTimeout(this.timer);
    this.keep();
    this.timer = window.setTimeout(() => void (this.isEdited ? this.check() : this.generate()), PAUSE_MS);
  }

  private settings(): { profile: string; kubernetes: string } {
    return { profile: one<HTMLSelectElement>("[data-profile]", this.root).value, kubernetes: one<HTMLSelectElement>("[data-kubernetes]", this.root).value };
  }

  /** Asks, and gives the answer only if nothing newer was asked meanwhile. */
  private async newest<T>(what: string, body: object): Promise<T | null> {
    this.asked?.abort();
    const own = (this.asked = new AbortController());
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await ask<T>(what, { ...this.settings(), ...body }, own.signal);
      return this.asked === own ? answer : null;
    } catch (error) {
      if (this.asked !== own || own.signal.aborted) return null;
      throw error;
    } finally {
      if (this.asked === own) this.root.removeAttribute("aria-busy");
    }
  }

  private async generate(): Promise<void> {
    this.keep();
    if (list(this.form["workloads"]).length === 0 && list(this.form["resources"]).length === 0) {
      this.asked?.abort();
      this.editor.show("");
      this.shown({ documents: [], findings: [], counts: { error: 0, warning: 0, info: 0, skipped: 0 }, complete: true });
      this.state("off", "circle-dashed", t("Add a workload"));
      one("[data-summary]", this.root).textContent = t("There is nothing yet: add a workload, or import what you have.");
      return;
    }
    try {
      const made = await this.newest<Generated>("generate", { form: this.form });
      if (!made) return;
      this.editor.show(made.yaml);
      this.flaws = [];
      this.shown(made);
      this.state("ok", "circle-check", tn("{n} object", "{n} objects", made.documents.length));
    } catch (error) {
      this.refused(error);
    }
  }

  private async check(): Promise<void> {
    this.keep();
    try {
      const found = await this.newest<Checked>("check", { yaml: this.editor.text, namespace: String(this.form["namespace"] ?? "") });
      if (!found) return;
      this.shown(found);
      this.state("warned", "pencil", t("Edited"));
    } catch (error) {
      this.refused(error);
    }
  }

  private shown(found: Checked): void {
    this.findings = found.findings;
    this.documents = found.documents;
    one("[data-summary]", this.root).textContent = summed(found.findings);
    this.drawOutline();
    this.placeFindings();
  }

  /** The form has mistakes: they stand at their fields, and the YAML says that it is older. */
  private refused(error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.state("bad", "unplug", t("No answer"));
      return;
    }
    const fields = (error.details["fields"] ?? []) as { field: string; message: string }[];
    this.flaws = fields.map(({ field, message }) => ({ path: field.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part)), message }));
    if (fields.length === 0) {
      this.state("bad", "circle-alert", t("Not made"));
      one("[data-summary]", this.root).textContent = error.message;
      return;
    }
    this.findings = [];
    this.state("bad", "circle-alert", tn("{n} field needs a correction", "{n} fields need a correction", fields.length));
    one("[data-summary]", this.root).textContent = fields.map((field) => field.message).slice(0, 3).join(" ");
    this.drawOutline();
    this.placeFindings();
  }

  /** Mends one finding, or all of them: in the form, or in the text where the form has no field for it. */
  private async fix(finding: Finding | null): Promise<void> {
    const where = finding ? { rule: finding.rule, document: finding.document, path: finding.path } : {};
    try {
      if (!this.isEdited) {
        const done = await this.newest<Fixed>("fix", { form: this.form, ...where });
        if (done?.form && done.mended > 0) {
          this.form = unfolded(done.form);
          this.editor.show(done.yaml);
          this.draw();
          this.keep();
          return void this.generate();
        }
        if (!done) return;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) return this.told(error);
      toast("ok", t("The form has no field for this: it was mended in the YAML."));
    }
    try {
      const done = await this.newest<Fixed>("fix", { yaml: this.editor.text, ...where });
      if (!done) return;
      this.editor.show(done.yaml);
      this.setEdited(true);
      this.shown(done);
      this.state("warned", "pencil", t("Edited"));
      this.keep();
    } catch (error) {
      this.told(error);
    }
  }

  private async recover(): Promise<void> {
    try {
      const { form } = await ask<{ form: Data }>("form", { yaml: this.editor.text });
      this.take(form, true);
    } catch (error) {
      this.told(error);
    }
  }

  private told(error: unknown): void {
    const fields = error instanceof ApiError ? ((error.details["fields"] ?? []) as { message: string }[]) : [];
    toast("bad", fields[0]?.message ?? (error instanceof Error ? error.message : String(error)));
  }

  /** What Kubernetes says about a field; each is asked for once. */
  private meaning(spot: Spot | null): Promise<string> {
    if (!spot?.kind || !spot.apiVersion) return Promise.resolve("");
    const query = new URLSearchParams({ apiVersion: spot.apiVersion, kind: spot.kind, path: spot.path.join(".") }).toString();
    const known = this.said.get(query);
    if (known) return known;
    const asked = fetch(`/api/charts/fields?${query}`, { headers: { Accept: "application/json" } })
      .then(async (answer) => (answer.ok ? ((await answer.json()) as { data: { name: string; type: string; description: string } }).data : null))
      .then((found) => (found ? [`${spot.path.join(".")}: ${found.type}`, found.description].filter((part) => part).join(". ") : ""))
      .catch(() => "");
    this.said.set(query, asked);
    return asked;
  }

  private item(): Data | undefined {
    return at(this.form, pathOf(this.chosen)) as Data | undefined;
  }

  private keep(): void {
    keep({ form: this.form, chosen: this.chosen, text: this.isEdited ? this.editor.text : null, lost: false, ...this.settings() });
  }
}

async function agreed(question: string, rest: string, yes: string): Promise<boolean> {
  const dialog = one<HTMLDialogElement>("#confirm");
  one("h2", dialog).textContent = question;
  one("p", dialog).textContent = rest;
  one('[value="yes"]', dialog).textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "yes";
}
