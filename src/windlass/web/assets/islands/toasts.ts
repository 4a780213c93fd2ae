// Short messages about things that happened elsewhere: at most three, and they wait while read.
import { icon, make, one } from "./dom.ts";
import { t } from "./words.ts";

const MOST = 3;
const SECONDS = 7;

export function toast(kind: "ok" | "bad", message: string, link?: { href: string; label: string }): void {
  const place = one("#toasts");
  const text = make("div", {}, make("p", {}, message));
  if (link) text.append(make("a", { href: link.href }, link.label));
  const close = make("button", { type: "button", class: "ghost small", "aria-label": t("Close") }, icon("x"));
  const box = make("div", { class: `toast ${kind}` }, icon(kind === "ok" ? "circle-check" : "circle-alert"), text, close);
  close.addEventListener("click", () => box.remove());
  place.append(box);
  while (place.children.length > MOST) place.firstElementChild?.remove();
  leaveLater(box);
}

function leaveLater(box: HTMLElement): void {
  let timer = window.setTimeout(() => box.remove(), SECONDS * 1000);
  const wait = (): void => window.clearTimeout(timer);
  const go = (): void => {
    wait();
    timer = window.setTimeout(() => box.remove(), 2000);
  };
  box.addEventListener("pointerenter", wait);
  box.addEventListener("pointerleave", go);
  box.addEventListener("focusin", wait);
  box.addEventListener("focusout", go);
}
