// The form as the server describes it, and a form's data, which is read and changed by paths.
import { api } from "../dom.ts";

export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };
export type Data = { [name: string]: Value };
export type Path = (string | number)[];

export interface Field {
  name: string;
  label: string;
  kind: string;
  help?: string;
  required?: boolean;
  default?: string | number | boolean;
  options?: string[];
  least?: number;
  most?: number;
  of?: string;
  only?: string[];
  suggestions?: string[];
}

export interface Section {
  title: string;
  fields: Field[];
  open?: boolean;
}

export interface Part {
  title: string;
  about: string;
  sections: Section[];
}

export interface Model {
  parts: Record<string, Part>;
  workloadTypes: string[];
  resourceTypes: string[];
}

export interface Finding {
  rule: string;
  severity: "error" | "warning" | "info";
  message: string;
  how: string;
  kind: string;
  name: string;
  document: number;
  path: Path;
  formPath: Path;
  line: number;
  fixable: boolean;
  skipped: string | null;
}

export interface Document {
  kind: string;
  name: string;
  namespace: string;
  line: number;
  formPath: Path;
  isGenerated: boolean;
}

export interface Checked {
  documents: Document[];
  findings: Finding[];
  counts: { error: number; warning: number; info: number; skipped: number };
  complete: boolean;
}

export interface Generated extends Checked {
  yaml: string;
}

export interface Fixed extends Generated {
  form: Data | null;
  mended: number;
}

export interface Note {
  path: string;
  line: number;
  verdict: "exact" | "adapted" | "impossible";
  message: string;
  hint: string;
}

export async function loadModel(): Promise<Model> {
  return (await api<Model>("/api/charts/schema")).data;
}

export async function ask<T>(what: string, body: object, signal?: AbortSignal): Promise<T> {
  const options: RequestInit = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  if (signal) options.signal = signal;
  return (await api<T>(`/api/charts/${what}`, options)).data;
}

export function at(data: Value | undefined, path: Path): Value | undefined {
  let found: Value | undefined = data;
  for (const part of path) {
    if (Array.isArray(found) && typeof part === "number") found = found[part];
    else if (isTable(found) && typeof part === "string") found = Object.hasOwn(found, part) ? found[part] : undefined;
    else return undefined;
  }
  return found;
}

export function isTable(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a value; undefined takes it away, and with it what is empty around it, but no items of lists. */
export function set(data: Data, path: Path, value: Value | undefined): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  const holder = data as unknown as Record<string | number, Value>;
  if (rest.length === 0) {
    if (value === undefined) delete holder[head];
    else holder[head] = value;
    return;
  }
  if (holder[head] === undefined || holder[head] === null) {
    if (value === undefined) return;
    holder[head] = typeof rest[0] === "number" ? [] : {};
  }
  const inner = holder[head] as Data;
  set(inner, rest, value);
  const isEmpty = Array.isArray(inner) ? inner.length === 0 : Object.keys(inner).length === 0;
  if (value === undefined && isEmpty && !Array.isArray(data)) delete holder[head];
}

/** Fields show the long way: ports as objects, variables as a list. */
export function unfolded(form: Data): Data {
  for (const workload of list(form["workloads"])) {
    for (const group of ["containers", "initContainers", "ephemeralContainers"]) {
      for (const container of list(workload[group])) {
        const { ports, env } = container;
        if (Array.isArray(ports)) container["ports"] = ports.map((port) => (isTable(port) ? port : { containerPort: port }));
        if (isTable(env)) container["env"] = Object.entries(env).map(([name, value]) => ({ name, value }));
      }
    }
  }
  return form;
}

export function list(value: Value | undefined): Data[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}

export function starts(path: Path, start: Path): boolean {
  return start.every((part, index) => path[index] === part);
}

export function dotted(path: Path): string {
  return path.join(".");
}

/** A copy with a name that nothing of its kind has yet. */
export function copied(item: Data, others: Data[]): Data {
  const made = structuredClone(item);
  made["name"] = freeName(String(item["name"] ?? "app"), others);
  delete made["id"];
  return made;
}

export function freeName(wanted: string, others: Data[]): string {
  const names = new Set(others.map((one) => String(one["name"] ?? "")));
  const stem = wanted.replace(/-\d+$/, "").slice(0, 55) || "app";
  let name = wanted;
  for (let number = 2; names.has(name); number++) name = `${stem}-${number}`;
  return name;
}
