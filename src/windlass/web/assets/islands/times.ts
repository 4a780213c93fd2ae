// Keeps relative times and running clocks true, and adds the local time to what hovering shows.
import { all, duration } from "./dom.ts";
import { t } from "./words.ts";

export function start(): void {
  window.setInterval(tick, 1000);
}

export function mount(): void {
  for (const time of all<HTMLTimeElement>("time[data-time]:not([data-local])")) {
    time.dataset["local"] = "";
    const local = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
    time.title = `${time.dateTime.replace("T", " ").replace("Z", " UTC")}\n${t("{time} local", { time: local })}`;
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
    say(clock, seconds < 10 ? t("{n} s", { n: String(Math.max(0, Math.floor(seconds))) }) : duration(seconds));
  }
}

function say(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

/** The same words as `filters.relative` of the server. */
function relative(seconds: number): string {
  if (seconds < 5) return t("just now");
  if (seconds < 60) return t("{n} s ago", { n: String(Math.floor(seconds)) });
  if (seconds < 3600) return t("{n} min ago", { n: String(Math.floor(seconds / 60)) });
  if (seconds < 86400) return t("{n} h ago", { n: String(Math.floor(seconds / 3600)) });
  const days = Math.floor(seconds / 86400);
  return days === 1 ? t("yesterday") : t("{n} days ago", { n: String(days) });
}
