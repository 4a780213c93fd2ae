// Findings: beside the field that causes them, in their list, and as marks of the lines.
import { all, icon, make } from "../dom.ts";
import { t, tn } from "../words.ts";
import { dotted, type Finding, type Path, starts } from "./model.ts";

export interface Deeds {
  fix: (finding: Finding) => void;
  go: (finding: Finding) => void;
}

/** A mistake of the form itself, as the server names it. */
export interface Flaw {
  path: Path;
  message: string;
}

const WORDS = { error: ["bad", "circle-x"], warning: ["warned", "triangle-alert"], info: ["off", "info"] } as const;

export function listed(findings: Finding[], deeds: Deeds): HTMLElement[] {
  const order = { error: 0, warning: 1, info: 2 };
  return [...findings]
    .sort((one, other) => order[one.severity] - order[other.severity] || one.line - other.line)
    .map((one) => {
      const where = make("button", { type: "button", class: "link" }, t("line {n}", { n: String(one.line) }));
      where.addEventListener("click", () => deeds.go(one));
      const place = make("span", { class: "sub" }, `${one.kind} ${one.name} · `, where, one.skipped ? ` · ${t("let pass: {reason}", { reason: one.skipped })}` : "");
      return make("li", one.skipped ? { class: "muted" } : {}, badge(one), make("span", { class: "grow" }, said(one), place), ...buttons(one, deeds));
    });
}

function said(one: Finding): HTMLElement {
  return make("span", { lang: "en" }, `${one.message[0]?.toUpperCase() ?? ""}${one.message.slice(1)}`);
}

function badge(one: Finding): HTMLElement {
  const [look, symbol] = WORDS[one.severity];
  const word = { error: t("Error"), warning: t("Warning"), info: t("Information") }[one.severity];
  return make("span", { class: `status ${look}` }, icon(symbol), word);
}

function buttons(one: Finding, deeds: Deeds): HTMLElement[] {
  const made: HTMLElement[] = [];
  if (one.fixable && !one.skipped) {
    const fix = make("button", { type: "button", class: "small" }, icon("hammer"), t("Mend"));
    fix.addEventListener("click", () => deeds.fix(one));
    made.push(fix);
  }
  if (one.rule !== "yaml") {
    const name = t("Why: {rule}", { rule: one.rule });
    made.push(make("a", { class: "button ghost small", href: `/charts/rules/${one.rule}`, target: "_blank", rel: "noopener", "aria-label": name, title: name }, t("Why")));
  }
  return made;
}

/** Puts everything that is wrong beside the deepest field that is drawn of it. */
export function place(root: HTMLElement, findings: Finding[], flaws: Flaw[], deeds: Deeds): void {
  for (const old of all(".found", root)) old.remove();
  for (const control of all("[aria-invalid]", root)) control.removeAttribute("aria-invalid");
  for (const flaw of flaws) {
    const field = nearest(root, flaw.path);
    if (!field) continue;
    field.append(make("p", { class: "error found" }, flaw.message));
    const control = field.querySelector<HTMLElement>("input, select, textarea");
    if (field.dataset["path"] === dotted(flaw.path)) control?.setAttribute("aria-invalid", "true");
  }
  for (const one of findings.filter((each) => !each.skipped && each.formPath.length > 0)) {
    const field = nearest(root, one.formPath);
    field?.append(make("div", { class: `found finding ${one.severity}` }, badge(one), said(one), ...buttons(one, deeds)));
  }
}

function nearest(root: HTMLElement, path: Path): HTMLElement | null {
  for (let length = path.length; length > 0; length--) {
    const found = root.querySelector<HTMLElement>(`[data-path="${CSS.escape(dotted(path.slice(0, length)))}"]`);
    if (found) return found;
  }
  return null;
}

/** How many errors and warnings a part of the form causes. */
export function worst(findings: Finding[], flaws: Flaw[], path: Path): { count: number; look: string } {
  const own = findings.filter((one) => !one.skipped && one.severity !== "info" && starts(one.formPath, path));
  const wrong = flaws.filter((one) => starts(one.path, path));
  const isBad = wrong.length > 0 || own.some((one) => one.severity === "error");
  return { count: own.length + wrong.length, look: isBad ? "bad" : "warned" };
}

export function summed(findings: Finding[]): string {
  const counted = findings.filter((one) => !one.skipped);
  const errors = counted.filter((one) => one.severity === "error").length;
  const warnings = counted.filter((one) => one.severity === "warning").length;
  if (counted.length === 0) return t("Nothing is wrong with it.");
  const parts = [
    errors ? tn("{n} error", "{n} errors", errors) : "",
    warnings ? tn("{n} warning", "{n} warnings", warnings) : "",
    counted.length - errors - warnings ? tn("{n} hint", "{n} hints", counted.length - errors - warnings) : "",
  ];
  return parts.filter((one) => one).join(" · ");
}
