// The parts of the application: chosen, added, moved, copied, renamed by their field, taken away.
import { all, make, one } from "../dom.ts";
import { t } from "../words.ts";
import { type Finding, list, type Data, type Path } from "./model.ts";
import { type Flaw, worst } from "./findings.ts";

export const GROUPS = ["workloads", "resources"] as const;
export type Group = (typeof GROUPS)[number];

/** What is shown: the application, one item, or the import. */
export type Chosen = { name: "application" | "import" | "deploy" } | { name: Group; index: number };

export function isItem(chosen: Chosen): chosen is { name: Group; index: number } {
  return chosen.name === "workloads" || chosen.name === "resources";
}

export function pathOf(chosen: Chosen): Path {
  return isItem(chosen) ? [chosen.name, chosen.index] : [];
}

export function drawOutline(root: HTMLElement, form: Data, chosen: Chosen, findings: Finding[], flaws: Flaw[], choose: (next: Chosen) => void): void {
  for (const group of GROUPS) {
    const box = one(`[data-items="${group}"]`, root);
    const focused = box.contains(document.activeElement);
    const items = list(form[group]).map((item, index) => {
      const isHere = isItem(chosen) && chosen.name === group && chosen.index === index;
      const { count, look } = worst(findings, flaws, [group, index]);
      const button = make(
        "button",
        { type: "button", class: "plain", "aria-pressed": String(isHere) },
        make("span", { class: "grow" }, make("span", { class: "mono" }, titleOf(item)), make("span", { class: "sub" }, kindOf(item))),
        ...(count ? [make("span", { class: `count ${look}`, title: t("{n} findings", { n: String(count) }) }, String(count))] : []),
      );
      button.addEventListener("click", () => choose({ name: group, index }));
      return make("li", {}, button);
    });
    box.replaceChildren(...items);
    if (focused) box.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
  }
  for (const button of all<HTMLButtonElement>("[data-select]", root)) {
    button.setAttribute("aria-pressed", String(button.dataset["select"] === chosen.name));
  }
}

export function titleOf(item: Data): string {
  const manifest = item["manifest"];
  const named = typeof manifest === "string" ? /^\s+name:\s*(\S+)/m.exec(manifest)?.[1] : undefined;
  return String(item["name"] || named || t("without a name"));
}

export function kindOf(item: Data): string {
  const manifest = item["manifest"];
  const kind = typeof manifest === "string" ? /^kind:\s*(\S+)/m.exec(manifest)?.[1] : undefined;
  return kind ?? String(item["type"] ?? "Deployment");
}

/** A new item with what it cannot be without. */
export function begun(group: Group, type: string): Data {
  if (group === "resources") return type === "Manifest" ? { type, manifest: "apiVersion: v1\nkind: \nmetadata:\n  name: \n" } : { type, name: type.toLowerCase() };
  const item: Data = { name: { CronJob: "task", Job: "task", StatefulSet: "db" }[type] ?? "web", type, containers: [{ image: "" }] };
  if (type === "CronJob") item["cronJob"] = { schedule: "@daily" };
  return item;
}
