// Keeps relative times and running clocks true, and adds the local time to what hovering shows.
import { all, duration } from "./dom.ts";

export function start(): void {
  window.setInterval(tick, 1000);
}

export function mount(): void {
  for (const time of all<HTMLTimeElement>("time[data-time]:not([data-local])")) {
    time.dataset["local"] = "";
    const local = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    time.title = `${time.dateTime.replace("T", " ").replace("Z", " UTC")}\n${local} local`;
  }
  tick();
}

function tick(): void {
  if (document.hidden) return;
  const now = Date.now();
  for (const time of all<HTMLTimeElement>('time[data-time="relative"]')) {
    say(time, relative((now - Date.parse(time.dateTime)) / 1000));
  }
  for (const clock of all("[data-since]")) {
    const seconds = (now - Date.parse(clock.dataset["since"] ?? "")) / 1000;
    say(clock, seconds < 10 ? `${Math.max(0, Math.floor(seconds))} s` : duration(seconds));
  }
}

function say(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

/** The same words as `filters.relative` of the server. */
function relative(seconds: number): string {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}
