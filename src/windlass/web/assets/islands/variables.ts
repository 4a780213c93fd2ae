// Rows of environment variables: add, remove, and a pasted .env file becomes rows.
import { all, one } from "./dom.ts";

export function start(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const add = target.closest("[data-add-variable]");
    const remove = target.closest("[data-remove-variable]");
    if (add) key(append(list(add))).focus();
    if (remove) drop(remove.closest<HTMLElement>("[data-variable]")!);
  });
  document.addEventListener("paste", onPaste);
}

function list(inside: Element): HTMLElement {
  return one(".variable-rows", inside.closest("[data-variables]")!);
}

function key(row: HTMLElement): HTMLInputElement {
  return one<HTMLInputElement>('[name$=".key"]', row);
}

function append(rows: HTMLElement): HTMLElement {
  const last = rows.lastElementChild as HTMLElement;
  const row = last.cloneNode(true) as HTMLElement;
  row.classList.remove("wrong");
  all(".error", row).forEach((error) => error.remove());
  const used = all<HTMLInputElement>('[name$=".key"]', rows).map((input) => Number(input.name.split(".")[1]));
  const number = Math.max(-1, ...used) + 1;
  for (const input of all<HTMLInputElement>("input", row)) {
    input.name = input.name.replace(/\d+/, String(number));
    if (input.id) input.id = `f-${input.name}`;
    input.value = input.type === "checkbox" ? "true" : "";
    input.checked = false;
  }
  rows.append(row);
  return row;
}

function drop(row: HTMLElement): void {
  const rows = row.parentElement!;
  const next = (row.nextElementSibling ?? row.previousElementSibling) as HTMLElement | null;
  if (!next) append(rows);
  row.remove();
  key(next ?? (rows.lastElementChild as HTMLElement)).focus();
}

function onPaste(event: ClipboardEvent): void {
  const input = event.target as HTMLInputElement;
  const row = input.closest?.<HTMLElement>("[data-variable]");
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!row || !input.name.endsWith(".key") || !/^\s*(?:export\s+)?[A-Za-z_]\w*\s*=/m.test(text)) return;
  // Quotes over several lines are the server's work; the block below takes them as they are.
  if (/=\s*(["'])(?:(?!\1).)*$/m.test(text)) return pasteBlock(event, row, text);
  event.preventDefault();
  let free: HTMLElement | null = row;
  for (const [name, value] of pairs(text)) {
    free ??= append(row.parentElement!);
    key(free).value = name;
    one<HTMLInputElement>('[name$=".value"]', free).value = value;
    free = null;
  }
  key(append(row.parentElement!)).focus();
}

function pasteBlock(event: ClipboardEvent, row: HTMLElement, text: string): void {
  event.preventDefault();
  const block = one<HTMLTextAreaElement>('[name="env_block"]', row.closest("[data-variables]")!);
  block.closest("details")!.open = true;
  block.value = text;
  block.focus();
}

function* pairs(text: string): Generator<[string, string]> {
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line);
    if (!found) continue;
    const value = found[2] ?? "";
    const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(value);
    yield [found[1] ?? "", quoted ? (quoted[2] ?? "") : value.replace(/\s+#.*$/, "")];
  }
}
