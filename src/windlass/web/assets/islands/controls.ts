// What buttons and fields do beyond HTML: copy, reveal, confirm, theme, dialogs, password strength.
import { all, copy, one } from "./dom.ts";
import { t } from "./words.ts";

export function start(): void {
  document.addEventListener("click", onClick);
  // Before htmx, which listens on the form itself.
  document.addEventListener("submit", onSubmit, { capture: true });
  document.addEventListener("input", onInput);
  document.addEventListener("change", onChange);
  window.addEventListener("pageshow", () => all("[data-busy] [aria-busy]").forEach(rest));
}

export function mount(): void {
  for (const input of all<HTMLInputElement>("[data-detected]")) offerDetected(input);
  for (const button of all<HTMLButtonElement>("[data-needs]")) needs(button);
  for (const preview of all("[data-slug-of]")) showSlug(preview);
  for (const box of all<HTMLInputElement>("[data-single-keys]")) {
    box.checked = localStorage.getItem("windlass.keys") !== "off";
  }
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of all("[data-modifier]")) key.textContent = "⌘ K";
  }
}

function onClick(event: MouseEvent): void {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest<HTMLElement>("button, a");
  if (!button) return;
  const { copy: text, reveal, open } = button.dataset;
  if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
  if (text !== undefined) void copied(button, text);
  if (reveal) toggleReveal(button, one<HTMLInputElement>(`#${CSS.escape(reveal)}`));
  if (open) one<HTMLDialogElement>(`#${open}`).showModal();
  if (button.dataset["useDetected"]) useDetected(button.dataset["useDetected"]);
  if (button.dataset["rootAgain"]) passRoot(button as HTMLButtonElement);
  const switcher = button.closest<HTMLElement>("[data-theme-switch]");
  if (switcher && button instanceof HTMLButtonElement) {
    event.preventDefault();
    setTheme(button.value);
  }
}

async function copied(button: HTMLElement, text: string): Promise<void> {
  await copy(text);
  const label = button.getAttribute("aria-label") ?? "";
  button.classList.add("copied");
  button.setAttribute("aria-label", t("Copied"));
  one("use", button).setAttribute("href", one("use", button).getAttribute("href")!.replace(/#.*/, "#check"));
  window.setTimeout(() => {
    button.classList.remove("copied");
    button.setAttribute("aria-label", label);
    one("use", button).setAttribute("href", one("use", button).getAttribute("href")!.replace(/#.*/, "#copy"));
  }, 1600);
}

function toggleReveal(button: HTMLElement, input: HTMLInputElement): void {
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", shown ? t("Hide the password") : t("Show the password"));
}

/** The cookie is what the server reads, so the next page comes in the right colours at once. */
function setTheme(theme: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `windlass_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  document.documentElement.dataset["theme"] = theme;
  for (const button of all<HTMLButtonElement>("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const button = event.submitter as HTMLButtonElement | null;
  if (button?.getAttribute("aria-disabled") === "true") return stop(event);
  if (form.dataset["confirm"] && form.dataset["confirmed"] === undefined) {
    stop(event);
    void confirmed(form, button);
    return;
  }
  delete form.dataset["confirmed"];
  if (form.dataset["busy"] !== undefined && button) {
    if (button.getAttribute("aria-busy") === "true") return stop(event);
    button.setAttribute("aria-busy", "true");
  }
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function rest(button: HTMLElement): void {
  button.removeAttribute("aria-busy");
}

async function confirmed(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
  const dialog = one<HTMLDialogElement>("#confirm");
  const [question = "", rest = ""] = (form.dataset["confirm"] ?? "").split(/(?<=\? |？)(.*)/s);
  one("h2", dialog).textContent = question;
  one("p", dialog).textContent = rest;
  one('[value="yes"]', dialog).textContent = form.dataset["confirmLabel"] ?? t("Go on");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  if (dialog.returnValue !== "yes") return;
  form.dataset["confirmed"] = "";
  form.requestSubmit(button);
}

function onInput(event: Event): void {
  const input = event.target as HTMLInputElement;
  if (input.dataset["detected"] !== undefined) offerDetected(input);
  for (const button of all<HTMLButtonElement>(`[data-needs="${CSS.escape(input.id)}"]`)) needs(button);
  for (const meter of all(`[data-strength="${CSS.escape(input.id)}"]`)) measure(meter, input.value);
  for (const preview of all(`[data-slug-of="${CSS.escape(input.id)}"]`)) showSlug(preview);
}

function onChange(event: Event): void {
  const input = event.target as HTMLInputElement;
  if (input.dataset["singleKeys"] !== undefined) {
    localStorage.setItem("windlass.keys", input.checked ? "on" : "off");
  }
}

/** A field that differs from what was detected says so and offers the way back. */
function offerDetected(input: HTMLInputElement): void {
  const field = input.closest(".field");
  const detected = input.dataset["detected"] ?? "";
  field?.querySelector(".detected")?.remove();
  if (!field || input.value.trim() === detected) return;
  const note = document.createElement("p");
  note.className = "detected";
  const back = document.createElement("button");
  back.type = "button";
  back.className = "link";
  back.dataset["useDetected"] = input.id;
  back.textContent = detected ? t("Use detected: {value}", { value: detected }) : t("Use detected: nothing");
  note.append(back);
  field.append(note);
}

function useDetected(id: string): void {
  const input = one<HTMLInputElement>(`#${CSS.escape(id)}`);
  input.value = input.dataset["detected"] ?? "";
  offerDetected(input);
  input.focus();
}

/** "Detect again" is a GET form of its own; the folder typed above goes with it. */
function passRoot(button: HTMLButtonElement): void {
  const form = button.form;
  if (!form) return;
  const typed = one<HTMLInputElement>(`#${button.dataset["rootAgain"]}`).value;
  form.querySelector('[name="root_directory"]')?.remove();
  const hidden = document.createElement("input");
  Object.assign(hidden, { type: "hidden", name: "root_directory", value: typed });
  form.append(hidden);
}

function needs(button: HTMLButtonElement): void {
  const input = document.getElementById(button.dataset["needs"] ?? "") as HTMLInputElement | null;
  const met = input?.value.trim() === button.dataset["equals"];
  button.toggleAttribute("aria-disabled", !met);
  if (!met) button.setAttribute("aria-disabled", "true");
}

function showSlug(preview: HTMLElement): void {
  const input = document.getElementById(preview.dataset["slugOf"] ?? "") as HTMLInputElement | null;
  const slug = (input?.value ?? "")
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  preview.textContent = slug ? (preview.dataset["address"] ?? "").replace("…", slug) : "\u00a0";
}

/** What the server asks for comes first; then length counts. A hint, the server decides. */
function measure(meter: HTMLElement, password: string): void {
  const asked: [RegExp, string][] = [
    [/.{8}/s, t("8 characters")],
    [/[A-Z]/, t("a capital letter")],
    [/[0-9]/, t("a digit")],
    [/[^A-Za-z0-9]/, t("a special character")],
  ];
  const missing = asked.filter(([kind]) => !kind.test(password)).map(([, what]) => what);
  const score = missing.length > 0 ? 1 : password.length < 12 ? 2 : password.length < 16 ? 3 : 4;
  const words = ["", "", t("Fair"), t("Good"), t("Very good")];
  const says = missing.length > 0 ? t("Still needs {what}", { what: missing.join(t(", ")) }) : (words[score] ?? "");
  meter.dataset["score"] = password ? String(score) : "0";
  one("output", meter).textContent = password ? says : "";
}
