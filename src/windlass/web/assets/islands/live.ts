// What the eye sees is true now: on a change the page is asked for again and its live parts morph.
import { Idiomorph } from "idiomorph";
import { all, api, one } from "./dom.ts";
import { CHANNEL, follow, type Message } from "./live-messages.ts";
import * as times from "./times.ts";
import { toast } from "./toasts.ts";
import { t } from "./words.ts";

const PAUSE_MS = 250;
const SAY_LOST_AFTER_MS = 2500;
const title = document.title;

let running = false;
let again = false;
let lostTimer = 0;
let wasLost = false;
// A form that deletes what this page shows is on its way: its answer is the next page, not a reload.
let leaving = false;
window.addEventListener("beforeunload", () => {
  leaving = true;
  window.setTimeout(() => (leaving = false), 10_000);
});

export function mountLive(): void {
  if (!document.body.classList.contains("frame")) return;
  sayStatus();
  const worker = document.body.dataset["liveWorker"];
  if (worker && "SharedWorker" in window) {
    new BroadcastChannel(CHANNEL).addEventListener("message", (event) => hear(event.data as Message));
    const shared = new SharedWorker(worker, { name: worker });
    shared.port.addEventListener("message", (event) => hear(event.data as Message));
    shared.port.start();
  } else {
    follow(hear);
  }
  // The log's own stream tells of the end a little earlier.
  document.addEventListener("windlass:changed", () => void refresh());
}

function hear(message: Message): void {
  if (message.type === "lost") {
    lostTimer ||= window.setTimeout(() => showLost(true), SAY_LOST_AFTER_MS);
    return;
  }
  window.clearTimeout(lostTimer);
  lostTimer = 0;
  if (message.type === "changed") {
    void refresh();
    if (message.kind === "deployment" && message.id && !message.recent) void announce(message.id);
  } else if (wasLost) {
    showLost(false);
    void refresh();
  }
}

function showLost(lost: boolean): void {
  wasLost = lost;
  one("#offline").hidden = !lost;
}

/** Ask once, however many changes come; one that comes meanwhile is asked for afterwards. */
async function refresh(): Promise<void> {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    do {
      again = false;
      await swap();
      document.dispatchEvent(new Event("windlass:refreshed"));
      await new Promise((passed) => setTimeout(passed, PAUSE_MS));
    } while (again);
  } finally {
    running = false;
  }
}

async function swap(): Promise<void> {
  const regions = all("[data-live][id]");
  if (leaving || !regions.length) return;
  const response = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (leaving) return;
  if (response?.redirected || response?.status === 401) return location.reload();
  // The thing was deleted elsewhere: its page says so.
  if (response?.status === 404) return location.reload();
  if (!response?.ok) return;
  const answer = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of regions) {
    const fresh = answer.getElementById(old.id);
    // A longer list was loaded here than the first page holds: only known rows are renewed.
    if (fresh && !keepsLonger(old, fresh)) morph(old, fresh);
  }
  times.mount();
  sayStatus();
}

function morph(old: Element, fresh: Element): void {
  if (old.isEqualNode(fresh)) return;
  Idiomorph.morph(old, fresh, {
    morphStyle: "outerHTML",
    callbacks: {
      // Opened folders and menus stay as the user left them.
      beforeAttributeUpdated: (name: string, node: Element) => !(name === "open" && node.matches("details, dialog")),
      beforeNodeMorphed: (node: Node) => !(node instanceof Element && node.matches("details[open]")),
    },
  });
}

function keepsLonger(old: Element, fresh: Element): boolean {
  const rows = ".list tbody > tr, .cards > li";
  if (all(rows, old).length <= all(rows, fresh).length) return false;
  for (const row of all(rows, fresh)) {
    const here = document.getElementById(row.id);
    if (here) morph(here, row);
    else one(".list tbody, .cards", old).prepend(row);
  }
  return true;
}

/** A tab in the background shows in its title how the deployment goes. */
function sayStatus(): void {
  const status = document.querySelector<HTMLElement>("[data-status]")?.dataset["status"];
  if (!status) return;
  const mark = { ready: "✓ ", error: "✗ ", building: "… ", deploying: "… ", queued: "… " }[status] ?? "";
  document.title = mark + title;
}

interface Deployment {
  status: string;
  errorMessage: string | null;
  finishedAt: string | null;
  project: { name: string };
}

/** Something ended elsewhere. What this page shows anyway needs no message. */
async function announce(id: string): Promise<void> {
  const selector = `#row-${CSS.escape(id)}, [data-deployment="${CSS.escape(id)}"]`;
  if (document.hidden || document.querySelector(selector)) return;
  const key = `windlass.told:${id}`;
  const found = await api<Deployment>(`/api/deployments/${id}`).catch(() => null);
  const deployment = found?.data;
  if (!deployment?.finishedAt || Date.now() - Date.parse(deployment.finishedAt) > 20_000) return;
  if (sessionStorage.getItem(key) === deployment.status) return;
  sessionStorage.setItem(key, deployment.status);
  const link = { href: `/deployments/${id}`, label: t("Open the deployment") };
  if (deployment.status === "ready") toast("ok", t("{name} is ready.", { name: deployment.project.name }), link);
  if (deployment.status === "error") {
    toast("bad", deployment.errorMessage ? t("{name} failed: {why}", { name: deployment.project.name, why: deployment.errorMessage }) : t("{name} failed: see its log", { name: deployment.project.name }), link);
  }
}
