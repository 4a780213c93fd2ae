// What was typed into a long form survives a reload of the tab. Never passwords, never variables.
import { all } from "./dom.ts";

export function mount(): void {
  for (const form of all<HTMLFormElement>("form[data-draft]:not([data-drafted])")) {
    form.dataset["drafted"] = "";
    const key = `windlass.draft:${location.pathname}:${form.dataset["draft"]}`;
    // A form that came back with errors already shows what was typed.
    if (!document.querySelector("[data-focus]")) restore(form, key);
    form.addEventListener("input", () => sessionStorage.setItem(key, JSON.stringify(kept(form))));
    form.addEventListener("submit", () => sessionStorage.removeItem(key));
  }
}

function fields(form: HTMLFormElement): (HTMLInputElement | HTMLTextAreaElement)[] {
  return all<HTMLInputElement | HTMLTextAreaElement>(
    'input[name]:not([type="password"], [type="hidden"], [name^="env"]), textarea[name]:not([name^="env"])',
    form,
  );
}

function kept(form: HTMLFormElement): Record<string, string> {
  return Object.fromEntries(
    fields(form)
      .filter((field) => isChanged(field))
      .map((field) => [field.name, field.type === "checkbox" ? String((field as HTMLInputElement).checked) : field.value]),
  );
}

function isChanged(field: HTMLInputElement | HTMLTextAreaElement): boolean {
  if (field.type === "checkbox") {
    const box = field as HTMLInputElement;
    return box.checked !== box.defaultChecked;
  }
  return field.value !== field.defaultValue;
}

function restore(form: HTMLFormElement, key: string): void {
  const saved = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Record<string, string>;
  for (const field of fields(form)) {
    const value = saved[field.name];
    if (value === undefined) continue;
    if (field.type === "checkbox") (field as HTMLInputElement).checked = value === "true";
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
