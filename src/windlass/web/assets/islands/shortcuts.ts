// Keys: g p, g d, g c, g k, g t, g a go places (g s and g m for administrators), c makes a project, ? lists them. Single keys can be off.
import { isTyping, one } from "./dom.ts";

const PLACES: Record<string, string> = {
  "g p": "/projects",
  "g d": "/deployments",
  "g c": "/clusters",
  "g k": "/charts",
  "g t": "/teams",
  "g a": "/account",
  "g s": "/status",
  "g m": "/admin",
  c: "/projects/new",
};
const TOGETHER_MS = 1200;

export function start(): void {
  let before = "";
  let pressedAt = 0;
  document.addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (modified || event.defaultPrevented || isTyping(event.target)) return;
    if (!document.body.classList.contains("frame") || document.querySelector("dialog[open]")) return;
    if (localStorage.getItem("windlass.keys") === "off") return;
    const now = performance.now();
    const chord = now - pressedAt < TOGETHER_MS ? `${before} ${event.key}` : event.key;
    before = event.key;
    pressedAt = now;
    const place = PLACES[chord] ?? PLACES[event.key];
    if (place) location.assign(place);
    else if (event.key === "?") one<HTMLDialogElement>("#shortcuts").showModal();
    else if (event.key === "/") focusSearch(event);
    else if (event.key === "f") document.dispatchEvent(new Event("windlass:follow"));
  });
}

function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLInputElement>("[data-log-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
}
