// What the folder's own ignore files name stays here. The server knows the rules; it gets names only.
import { api } from "../dom.ts";
import type { Found } from "./walk.ts";

const RULE_FILES = /(^|\/)\.(git|windlass)ignore$/;
const RULE_LENGTH = 1 << 16;

export interface Sifted {
  kept: Found[];
  byRules: number;
  always: number;
}

export async function sift(files: Found[], signal: AbortSignal): Promise<Sifted> {
  const rules: Record<string, string> = {};
  for (const { path, file } of files) {
    if (RULE_FILES.test(path)) rules[path] = (await file.text()).slice(0, RULE_LENGTH);
  }
  const body = JSON.stringify({ paths: files.map((found) => found.path), rules });
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const options = { method: "POST", body, headers, signal };
  const { byRules, always } = (await api<{ byRules: string[]; always: string[] }>("/api/sources/left-out", options)).data;
  const gone = new Set([...byRules, ...always]);
  const kept = files.filter((found) => !gone.has(found.path));
  return { kept, byRules: byRules.length, always: always.length };
}
