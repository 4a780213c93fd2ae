// What was made survives a reload of this tab. Values of secrets do not: they are never kept here.
import { type Data, list } from "./model.ts";
import type { Chosen } from "./outline.ts";

const KEY = "windlass.builder";

export interface Draft {
  form: Data;
  chosen: Chosen;
  /** The YAML when it was edited by hand. */
  text: string | null;
  profile: string;
  kubernetes: string;
  lost: boolean;
}

export function keep(draft: Draft): void {
  const form = structuredClone(draft.form);
  let lost = false;
  for (const resource of list(form["resources"])) {
    if (resource["type"] === "Secret") {
      for (const name of ["values", "stringData", "data", "extra"]) {
        const found = resource[name];
        if (found === undefined) continue;
        lost = true;
        if (typeof found === "object" && found !== null) resource[name] = Object.fromEntries(Object.keys(found).map((key) => [key, ""]));
        else delete resource[name];
      }
    } else if (/^kind:\s*["']?Secret/m.test(String(resource["manifest"] ?? ""))) {
      lost = true;
      resource["manifest"] = "";
    }
  }
  const isSecret = draft.text !== null && /^kind:\s*["']?Secret/m.test(draft.text);
  const text = isSecret ? null : draft.text;
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...draft, form, text, lost: lost || isSecret }));
  } catch {
    // A browser without room keeps nothing; the page works as before.
  }
}

export function kept(): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}
