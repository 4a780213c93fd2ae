// Ctrl/⌘ K: finds every project, team, recent deployment, page and action of this page.
import { all, api, icon, make, one } from "./dom.ts";
import { t } from "./words.ts";

interface Item {
  label: string;
  kind: string;
  symbol: string;
  go: () => void;
}
interface Project {
  name: string;
  ref: string;
}
interface Team {
  name: string;
  slug: string;
}
interface Deployment {
  id: string;
  status: string;
  commitMessage: string | null;
  branch: string | null;
  project: Project;
}

let items: Item[] = [];
let shown: Item[] = [];
let at = 0;

export function start(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  if (!dialog) return;
  const input = one<HTMLInputElement>("input", dialog);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else if (!document.querySelector("dialog[open]")) dialog.showModal();
  });
  // `toggle` tells of every way in: the key, the button, a shortcut.
  new MutationObserver(() => dialog.open && void opened(input)).observe(dialog, { attributeFilter: ["open"] });
  input.addEventListener("input", () => draw(input));
  input.addEventListener("keydown", (event) => onKey(event, input));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  const list = one("#palette-list");
  list.addEventListener("click", (event) => {
    const row = (event.target as Element).closest<HTMLElement>("[data-index]");
    if (row) choose(Number(row.dataset["index"]));
  });
}

async function opened(input: HTMLInputElement): Promise<void> {
  input.value = "";
  const here = onThisPage();
  items = here;
  draw(input);
  const [projects, deployments, teams] = await Promise.allSettled([
    api<Project[]>("/api/projects?limit=100"),
    api<Deployment[]>("/api/deployments?limit=30"),
    api<Team[]>("/api/teams?limit=100"),
  ]);
  items = [...here];
  if (projects.status === "fulfilled") items.push(...projects.value.data.map(ofProject));
  if (teams.status === "fulfilled") items.push(...teams.value.data.map(ofTeam));
  if (deployments.status === "fulfilled") items.push(...deployments.value.data.map(ofDeployment));
  draw(input);
}

/** Every enabled link and button that carries `data-palette` is an action. */
function onThisPage(): Item[] {
  const seen = new Set<string>();
  const marked = all("[data-palette]").map((element): Item => ({
    label: element.dataset["palette"] ?? "",
    kind: element.closest(".side") ? t("Page") : t("Action"),
    symbol: one("use", element).getAttribute("href")?.split("#")[1] ?? "arrow-right",
    go: () => element.click(),
  }));
  const more: Item[] = [
    { label: t("New project"), kind: t("Action"), symbol: "plus", go: () => location.assign("/projects/new") },
    { label: t("New project from Git"), kind: t("Action"), symbol: "folder-git-2", go: () => location.assign("/projects/new?from=git") },
    { label: t("Keyboard shortcuts"), kind: t("Help"), symbol: "keyboard", go: () => one<HTMLDialogElement>("#shortcuts").showModal() },
    ...[
      ["system", t("System"), "monitor"],
      ["light", t("Light"), "sun"],
      ["dark", t("Dark"), "moon"],
    ].map(([theme = "", name = "", symbol = ""]) => ({
      label: t("Theme: {name}", { name }),
      kind: t("Action"),
      symbol,
      go: () => one(`[data-theme-switch] [value="${theme}"]`).click(),
    })),
  ];
  return [...marked, ...more].filter((item) => !seen.has(item.label) && seen.add(item.label));
}

function ofProject(project: Project): Item {
  return { label: project.name, kind: t("Project"), symbol: "box", go: () => location.assign(`/projects/${project.ref}`) };
}

function ofTeam(team: Team): Item {
  return { label: team.name, kind: t("Team"), symbol: "users", go: () => location.assign(`/teams/${team.slug}`) };
}

function ofDeployment(deployment: Deployment): Item {
  const what = deployment.commitMessage?.split("\n")[0] ?? deployment.branch ?? deployment.id.slice(-8);
  const go = (): void => location.assign(`/deployments/${deployment.id}`);
  return { label: `${deployment.project.name}: ${what}`, kind: said(deployment.status), symbol: "rocket", go };
}

/** A state as the pages call it. */
function said(status: string): string {
  const words: Record<string, string> = {
    queued: t("Queued"),
    building: t("Building"),
    deploying: t("Deploying"),
    ready: t("Ready"),
    error: t("Failed"),
    cancelled: t("Cancelled"),
  };
  return words[status] ?? status;
}

/** Letters in order; together and at the start of words count more. Lower is better. */
function distance(label: string, query: string): number | null {
  const text = label.toLowerCase();
  const whole = text.indexOf(query);
  if (whole >= 0) return whole === 0 ? 0 : /\W/.test(text[whole - 1] ?? "") ? 1 : 2;
  let position = -1;
  let gaps = 3;
  for (const letter of query.replace(/\s+/g, "")) {
    const next = text.indexOf(letter, position + 1);
    if (next < 0) return null;
    gaps += next - position - 1;
    position = next;
  }
  return gaps;
}

function draw(input: HTMLInputElement): void {
  const query = input.value.trim().toLowerCase();
  shown = items
    .map((item) => ({ item, far: query ? distance(item.label, query) : 0 }))
    .filter((found): found is { item: Item; far: number } => found.far !== null)
    .sort((a, b) => a.far - b.far)
    .slice(0, 40)
    .map((found) => found.item);
  at = 0;
  const list = one("#palette-list");
  list.replaceChildren(...shown.map(row));
  if (!shown.length) list.append(make("li", { class: "nothing", role: "option", "aria-disabled": "true", "aria-selected": "false" }, t("Nothing has this name")));
  select(input);
}

function row(item: Item, index: number): HTMLElement {
  return make(
    "li",
    { role: "option", id: `palette-${index}`, "data-index": String(index), "aria-selected": "false" },
    icon(item.symbol),
    make("span", { class: "grow" }, item.label),
    make("span", { class: "muted small" }, item.kind),
  );
}

function select(input: HTMLInputElement): void {
  all("#palette-list [data-index]").forEach((element, index) => {
    element.setAttribute("aria-selected", String(index === at));
    if (index === at) element.scrollIntoView({ block: "nearest" });
  });
  if (shown.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
  else input.removeAttribute("aria-activedescendant");
}

function onKey(event: KeyboardEvent, input: HTMLInputElement): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && shown.length) {
    event.preventDefault();
    at = (at + step + shown.length) % shown.length;
    select(input);
  } else if (event.key === "Enter") {
    event.preventDefault();
    choose(at);
  }
}

function choose(index: number): void {
  one<HTMLDialogElement>("#palette").close();
  shown[index]?.go();
}
