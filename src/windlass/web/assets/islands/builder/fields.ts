// A part of the form as fields, made from what the server says of it. Parts inside of parts are drawn
// when they are opened.
import { all, icon, make } from "../dom.ts";
import { t } from "../words.ts";
import { at, type Data, dotted, type Field, isTable, type Model, type Path, type Value } from "./model.ts";

export interface Host {
  model: Model;
  value: (path: Path) => Value | undefined;
  change: (path: Path, value: Value | undefined, isStructure?: boolean) => Promise<boolean>;
  again: (focus?: string) => void;
}

/** All sections of a part. `type` is that of the workload, for fields that only some have. */
export function drawPart(host: Host, name: string, path: Path, type = ""): HTMLElement[] {
  const part = host.model.parts[name];
  if (!part) return [];
  return part.sections.flatMap((section) => {
    const fields = section.fields.filter((field) => !field.only?.length || field.only.includes(type));
    if (fields.length === 0) return [];
    if (section.open || !section.title) return [make("div", { class: "fields-grid" }, ...fields.map((field) => draw(host, field, [...path, field.name], type)))];
    const isSet = fields.some((field) => host.value([...path, field.name]) !== undefined);
    return [fold(`s-${dotted(path)}-${section.title}`, [section.title], isSet, () =>
      make("div", { class: "fields-grid" }, ...fields.map((field) => draw(host, field, [...path, field.name], type))), "section")];
  });
}

const opened = new Set<string>();
const closed = new Set<string>();

/** A fold that draws what is in it when it opens, and stays as somebody left it. */
function fold(key: string, title: (Node | string)[], isOpen: boolean, inside: () => HTMLElement, kind: string): HTMLElement {
  const box = make("details", { class: `fold-${kind}`, "data-fold": key }, make("summary", {}, ...title));
  const fill = (): void => {
    if (box.childElementCount === 1) box.append(inside());
  };
  if (opened.has(key) || (isOpen && !closed.has(key))) {
    box.open = true;
    fill();
  }
  box.addEventListener("toggle", () => {
    (box.open ? opened : closed).add(key);
    (box.open ? closed : opened).delete(key);
    if (box.open) fill();
  });
  return box;
}

function draw(host: Host, field: Field, path: Path, type: string): HTMLElement {
  const wide = ["part", "parts", "texts", "amounts", "lines", "numbers", "anything"].includes(field.kind);
  const box = make("div", { class: wide ? "field wide-field" : "field", "data-path": dotted(path) });
  const id = `b-${dotted(path)}`;
  if (field.kind === "part") {
    // What a resource is made of stands open; everything else is one fold.
    if (field.name === "spec") {
      box.append(...drawPart(host, field.of ?? "", path, type));
      return box;
    }
    const isOpen = host.value(path) !== undefined || field.name === "cronJob";
    box.append(fold(dotted(path), [field.label, help(field, id)], isOpen, () => make("div", { class: "inner" }, ...drawPart(host, field.of ?? "", path, type)), "part"));
    return box;
  }
  if (field.kind === "parts") {
    box.append(make("p", { class: "label", id }, field.label), help(field, id), ...cards(host, field, path, type));
    return box;
  }
  const control = input(host, field, path, id);
  if (control.matches(".list-rows")) {
    box.append(make("p", { class: "label", id: `l-${id}` }, field.label), help(field, id), control);
    return box;
  }
  const label = make("label", { for: id }, field.label);
  box.append(label, make("div", { class: "control" }, control), help(field, id));
  if (field.help) control.setAttribute("aria-describedby", `h-${id}`);
  if (field.required) control.setAttribute("aria-required", "true");
  return box;
}

function help(field: Field, id: string): HTMLElement {
  // What stands in backquotes is code.
  const words = (field.help ?? "").split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
  return make(field.kind === "part" ? "span" : "p", { class: "help", id: `h-${id}` }, ...words.filter((part) => part !== ""));
}

function input(host: Host, field: Field, path: Path, id: string): HTMLElement {
  const value = host.value(path);
  if (field.kind === "flag") {
    const usual = field.default === undefined ? t("left out") : field.default ? t("yes (usual)") : t("no (usual)");
    return choose(host, path, id, [["", usual], ["true", t("yes")], ["false", t("no")]], value === undefined ? "" : String(value), (text) =>
      text === "" ? undefined : text === "true");
  }
  if (field.kind === "choice") {
    const usual = field.default === undefined ? t("left out") : `${String(field.default)} ${t("(usual)")}`;
    const options = (field.options ?? []).filter((one) => one !== field.default).map((one): [string, string] => [one, one]);
    return choose(host, path, id, [["", usual], ...options], value === field.default ? "" : String(value ?? ""), (text) => text || undefined);
  }
  if (["texts", "amounts"].includes(field.kind)) return pairs(host, field, path, id);
  if (["lines", "numbers"].includes(field.kind)) return lines(host, field, path, id);
  if (field.kind === "anything") {
    const area = make("textarea", { id, class: "mono", rows: "4", spellcheck: "false", autocapitalize: "none", placeholder: t("YAML") });
    area.value = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
    area.addEventListener("input", () => void host.change(path, area.value.trim() === "" ? undefined : area.value));
    return area;
  }
  return line(host, path, id, field, value);
}

function line(host: Host, path: Path, id: string, field: Field, value: Value | undefined): HTMLInputElement {
  const box = make("input", { id, type: "text", class: "mono", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
  if (field.kind === "number") box.inputMode = "numeric";
  if (field.default !== undefined) box.placeholder = String(field.default);
  box.value = value === undefined || value === null ? "" : String(value);
  box.addEventListener("input", () => void host.change(path, read(field.kind, box.value)));
  return box;
}

/** What was typed as what the field holds: a wrong number goes to the server as it is, which says so. */
function read(kind: string, text: string): Value | undefined {
  if (text === "") return undefined;
  return ["number", "intOrText", "numbers"].includes(kind) && /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
}

function choose(host: Host, path: Path, id: string, options: [string, string][], chosen: string, value: (text: string) => Value | undefined): HTMLSelectElement {
  const box = make("select", { id, autocomplete: "off" }, ...options.map(([key, words]) => make("option", { value: key }, words)));
  box.value = chosen;
  box.addEventListener("change", () => void host.change(path, value(box.value)));
  return box;
}

/** Names with their values: labels, annotations, amounts, keys of a Secret. */
function pairs(host: Host, field: Field, path: Path, id: string): HTMLElement {
  const found = host.value(path);
  const rows: [string, string][] = isTable(found) ? Object.entries(found).map(([name, value]) => [name, String(value)]) : [];
  const isSecret = field.name === "values" || field.name === "stringData";
  const put = (next: [string, string][]): Promise<boolean> =>
    host.change(path, next.some(([name]) => name) ? Object.fromEntries(next.filter(([name]) => name)) : undefined);
  const box = make("div", { class: "list-rows", role: "group", "aria-labelledby": `l-${id}` });
  const listed = `o-${id}`;
  if (field.suggestions?.length) box.append(make("datalist", { id: listed }, ...field.suggestions.map((one) => make("option", { value: one }))));
  const add = (name: string, value: string): HTMLElement => {
    const key = make("input", { type: "text", class: "mono", "aria-label": t("Name"), autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
    const text = make("input", { type: isSecret ? "password" : "text", class: "mono", "aria-label": t("Value"), autocomplete: isSecret ? "new-password" : "off", spellcheck: "false" });
    if (field.suggestions?.length) key.setAttribute("list", listed);
    [key.value, text.value] = [name, value];
    const row = make("div", { class: "list-row", "data-path": dotted([...path, name]) }, key, text, remover(() => {
      row.remove();
      void put(read());
    }));
    for (const one of [key, text]) one.addEventListener("input", () => void put(read()));
    box.insertBefore(row, more);
    return key;
  };
  const read = (): [string, string][] =>
    all(".list-row", box).map((row) => all<HTMLInputElement>("input", row).map((one) => one.value) as [string, string]);
  const more = adder(field.label, () => add("", "").focus());
  box.append(more);
  for (const [name, value] of rows) add(name, value);
  return box;
}

function lines(host: Host, field: Field, path: Path, id: string): HTMLElement {
  const found = host.value(path);
  const box = make("div", { class: "list-rows", role: "group", "aria-labelledby": `l-${id}` });
  const put = (): void => {
    const items = all<HTMLInputElement>("input", box).map((one) => read(field.kind, one.value) ?? "");
    void host.change(path, items.length ? items : undefined);
  };
  const listed = `o-${id}`;
  const words = field.suggestions?.length ? field.suggestions : (field.options ?? []);
  if (words.length) box.append(make("datalist", { id: listed }, ...words.map((one) => make("option", { value: one }))));
  const add = (value: string): HTMLInputElement => {
    const text = make("input", { type: "text", class: "mono", "aria-label": field.label, autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
    if (words.length) text.setAttribute("list", listed);
    text.value = value;
    const row = make("div", { class: "list-row one" }, text, remover(() => {
      row.remove();
      put();
    }));
    text.addEventListener("input", put);
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      add("").focus();
    });
    box.insertBefore(row, more);
    return text;
  };
  const more = adder(field.label, () => add("").focus());
  box.append(more);
  for (const one of Array.isArray(found) ? found : []) add(String(one));
  return box;
}

const SIMPLE = new Set(["text", "amount", "number", "intOrText", "choice", "flag"]);

/** The fields of a small part that fit into one line: a variable, a port, a mount. None: it is no small one. */
function inLine(host: Host, name: string): Field[] {
  const part = host.model.parts[name];
  const fields = part?.sections.flatMap((section) => section.fields) ?? [];
  if (fields.length > 8 || part?.sections.some((section) => section.title && section.title !== "More")) return [];
  const first = fields.findIndex((field) => !SIMPLE.has(field.kind));
  const found = fields.slice(0, Math.min(first < 0 ? fields.length : first, fields.length === 3 && first < 0 ? 3 : 2));
  return found.length >= 2 || fields.length === 1 ? found : [];
}

/** A small part: its most used fields in a line, the others folded below. */
function inlineRow(host: Host, field: Field, shown: Field[], here: Path, type: string, remove: HTMLElement): HTMLElement {
  const row = make("div", { class: "inline-part", "data-path": dotted(here) }, ...shown.map((one) => draw(host, one, [...here, one.name], type)), remove);
  row.style.setProperty("--fields", String(shown.length));
  const rest = (host.model.parts[field.of ?? ""]?.sections ?? []).flatMap((section) => section.fields).filter((one) => !shown.includes(one));
  if (rest.length) {
    const isSet = rest.some((one) => host.value([...here, one.name]) !== undefined);
    row.append(fold(`more-${dotted(here)}`, [rest.map((one) => one.label).join(", ")], isSet, () =>
      make("div", { class: "fields-grid inner" }, ...rest.map((one) => draw(host, one, [...here, one.name], type))), "more"));
  }
  return row;
}

/** A list of parts: each one a card with its own fields. */
function cards(host: Host, field: Field, path: Path, type: string): HTMLElement[] {
  const found = host.value(path);
  const items = Array.isArray(found) ? found : [];
  const made = items.map((item, index) => {
    const here = [...path, index];
    const isOpen = items.length <= 3 || Object.keys(isTable(item) ? item : {}).length === 0;
    const remove = remover(() => {
      const next = items.filter((_, other) => other !== index);
      void host.change(path, next.length ? next : undefined, true).then(() => host.again());
    });
    const small = inLine(host, field.of ?? "");
    if (small.length) return inlineRow(host, field, small, here, type, remove);
    const title = make("span", { class: "mono" }, called(item) || `${field.label} ${index + 1}`);
    const card = fold(dotted(here), [title], isOpen, () => make("div", { class: "inner" }, ...drawPart(host, field.of ?? "", here, type)), "card");
    card.dataset["path"] = dotted(here);
    return make("div", { class: "card-row" }, card, remove);
  });
  const add = adder(field.label, () => {
    void host.change(path, [...items, first(field.of ?? "", items)], true).then((isDone) => {
      if (!isDone) return;
      opened.add(dotted([...path, items.length]));
      host.again(dotted([...path, items.length]));
    });
  });
  return [...made, add];
}

function first(part: string, items: Value[]): Data {
  return part === "Container" && items.length > 0 ? { name: `container-${items.length + 1}` } : {};
}

function called(item: Value): string {
  for (const key of ["name", "image", "containerPort", "key", "mountPath", "ip", "host", "type"]) {
    const found = at(item, [key]);
    if (typeof found === "string" || typeof found === "number") return String(found);
  }
  return "";
}

function remover(act: () => void): HTMLElement {
  const button = make("button", { type: "button", class: "ghost small", "aria-label": t("Remove"), title: t("Remove") }, icon("x"));
  button.addEventListener("click", act);
  return button;
}

function adder(label: string, act: () => void): HTMLElement {
  const button = make("button", { type: "button", class: "ghost small add" }, icon("plus"), t("Add: {what}", { what: label.toLowerCase() }));
  button.addEventListener("click", act);
  return button;
}
