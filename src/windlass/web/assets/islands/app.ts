// The one script of every page: htmx for forms that stay on their page, and the islands.
import htmx from "htmx.org";
import { Idiomorph } from "idiomorph";
import * as controls from "./controls.ts";
import * as drafts from "./drafts.ts";
import { mountLive } from "./live.ts";
import * as palette from "./palette.ts";
import * as shortcuts from "./shortcuts.ts";
import * as times from "./times.ts";
import { toast } from "./toasts.ts";
import * as variables from "./variables.ts";
import { t } from "./words.ts";

htmx.defineExtension("morph", {
  isInlineSwap: (style: string) => style.startsWith("morph"),
  handleSwap: (style: string, target: Node, fragment: Node) => {
    if (!style.startsWith("morph")) return false;
    const morphStyle = style === "morph:innerHTML" ? "innerHTML" : "outerHTML";
    return Idiomorph.morph(target, (fragment as DocumentFragment).children, { morphStyle, ignoreActiveValue: false });
  },
});
document.body.setAttribute("hx-ext", "morph");

function mount(): void {
  controls.mount();
  drafts.mount();
  times.mount();
  // The heavy islands come only where they are needed.
  const log = document.querySelector<HTMLElement>("[data-log]:not([data-mounted])");
  if (log) {
    log.dataset["mounted"] = "";
    void import("./log/view.ts").then((island) => island.mount(log));
  }
  const tail = document.querySelector<HTMLElement>("[data-tail]:not([data-mounted])");
  if (tail) {
    tail.dataset["mounted"] = "";
    void import("./log/tail.ts").then((island) => island.mount(tail));
  }
  const drop = document.querySelector<HTMLElement>("[data-drop]:not([data-mounted])");
  if (drop) {
    drop.dataset["mounted"] = "";
    void import("./drop/drop.ts").then((island) => island.mount(drop));
  }
  const builder = document.querySelector<HTMLElement>("[data-builder]:not([data-mounted])");
  if (builder) {
    builder.dataset["mounted"] = "";
    void import("./builder/builder.ts").then((island) => island.mount(builder));
  }
  if (document.querySelector("[data-passkey]")) void import("./passkey.ts").then((island) => island.mount());
  document.querySelector<HTMLElement>("[data-focus]")?.focus();
}

document.addEventListener("htmx:afterSettle", mount);
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  if (xhr.status === 401) return location.reload();
  const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const message = answer.querySelector("[data-error-message]")?.textContent?.trim();
  toast("bad", message || t("Windlass answered {status}. Try again.", { status: String(xhr.status) }));
});
document.addEventListener("htmx:sendError", () => {
  toast("bad", t("Windlass did not answer. Nothing was changed as far as this page knows."));
});

shortcuts.start();
palette.start();
controls.start();
variables.start();
times.start();
mount();
mountLive();
