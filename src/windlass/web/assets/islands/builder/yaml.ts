// YAML as the editor shows it, line by line: what is a key, what a value, and which path a line has.

export interface Piece {
  kind: "" | "key" | "mark" | "text" | "word" | "note" | "secret";
  text: string;
}

/** What a line must know of those before it. */
interface State {
  /** The indentation that a block of text has more than, or -1. */
  block: number;
  isSecret: boolean;
  /** The indentation of `data:` of a Secret, or -1. */
  values: number;
}

const KEY = /^(\s*(?:- +)*)("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"[\]{}&*!|>%@`,-][^#:]*?|-?[\w./-]+)(:)(?=\s|$)/;
const WORD = /^(?:true|false|null|~|[-+]?[0-9][0-9_.eE+-]*)$/;

/** The pieces of each line. Together they are the line, letter by letter. */
export function painted(lines: string[], isShown: boolean): Piece[][] {
  const state: State = { block: -1, isSecret: false, values: -1 };
  const secrets = secretLines(lines);
  return lines.map((line, number) => {
    if (/^---(\s|$)/.test(line)) {
      Object.assign(state, { block: -1, isSecret: false, values: -1 });
      return [{ kind: "mark", text: line }];
    }
    state.isSecret = secrets[number] ?? false;
    return hidden(pieces(line, state), state, isShown);
  });
}

/** Which lines belong to a Secret: its kind may stand anywhere in its document. */
function secretLines(lines: string[]): boolean[] {
  const found: boolean[] = [];
  let start = 0;
  let isSecret = false;
  const close = (end: number): void => {
    for (let line = start; line < end; line++) found[line] = isSecret;
    start = end;
    isSecret = false;
  };
  lines.forEach((line, number) => {
    if (/^---(\s|$)/.test(line)) close(number);
    else if (/^kind:\s*["']?Secret["']?\s*(#.*)?$/.test(line)) isSecret = true;
  });
  close(lines.length);
  return found;
}

function pieces(line: string, state: State): Piece[] {
  const indent = line.length - line.trimStart().length;
  if (state.block >= 0) {
    if (line.trim() === "" || indent > state.block) return [{ kind: "text", text: line }];
    state.block = -1;
  }
  if (/^\s*#/.test(line)) return [{ kind: "note", text: line }];
  const found: Piece[] = [];
  let rest = line;
  const key = KEY.exec(line);
  if (key) {
    const [whole, before = "", name = "", colon = ""] = key;
    found.push({ kind: "mark", text: before }, { kind: "key", text: name }, { kind: "mark", text: colon });
    rest = line.slice(whole.length);
    const top = /^(data|stringData)$/.test(name);
    if (top && before === "") state.values = 0;
    else if (before === "") state.values = -1;
  } else {
    const dash = /^\s*(?:- *)+/.exec(line);
    if (dash) {
      found.push({ kind: "mark", text: dash[0] });
      rest = line.slice(dash[0].length);
    }
  }
  const block = /^(\s*)([|>][-+0-9]*)(\s*(?:#.*)?)$/.exec(rest);
  if (block) state.block = key ? (key[1] ?? "").length : indent;
  found.push(...scalar(rest));
  return found.filter((piece) => piece.text !== "");
}

function scalar(rest: string): Piece[] {
  const match = /^(\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|(?:[^#]|(?<=\S)#)*?)(\s*)((?:(?<=\s)|^)#.*)?$/.exec(rest);
  if (!match) return [{ kind: "text", text: rest }];
  const [, space = "", value = "", gap = "", note = ""] = match;
  const kind = WORD.test(value) ? "word" : "text";
  return [
    { kind: "", text: space },
    { kind, text: value },
    { kind: "", text: gap },
    { kind: "note", text: note },
  ];
}

function hidden(found: Piece[], state: State, isShown: boolean): Piece[] {
  if (isShown || !state.isSecret || state.values < 0) return found;
  const indented = /^\s/.test(found[0]?.text ?? "");
  if (!indented) return found;
  return found.map((piece) =>
    piece.kind === "text" || piece.kind === "word"
      ? { kind: "secret", text: piece.text.replace(/\S/g, "•") }
      : piece,
  );
}

export interface Spot {
  apiVersion: string;
  kind: string;
  path: string[];
}

/** Which field of which kind stands in a line. Exact for YAML in blocks, which is what we write. */
export function spot(lines: string[], number: number): Spot | null {
  const line = lines[number];
  const key = line === undefined ? null : KEY.exec(line);
  if (!key) return null;
  const path = [unquoted(key[2] ?? "")];
  let column = width(key[1] ?? "");
  let first = number;
  for (let above = number - 1; above >= 0; above--) {
    const text = lines[above] ?? "";
    if (/^---(\s|$)/.test(text)) break;
    first = above;
    const other = KEY.exec(text);
    if (!other || column === 0) continue;
    const start = (other[1] ?? "").length - (other[1] ?? "").trimStart().length;
    const own = width(other[1] ?? "");
    // `- name: x` is a neighbour of the keys below it, and its dash stands deeper than its parent.
    if (own < column) {
      path.unshift(unquoted(other[2] ?? ""));
      column = own;
    } else if (own === column && start < own) {
      column = start + 1;
    }
  }
  const own = lines.slice(first);
  const end = own.findIndex((text, index) => index > 0 && /^---(\s|$)/.test(text));
  const document = end < 0 ? own : own.slice(0, end);
  const fact = (name: string): string => {
    const found = document.find((text) => text.startsWith(`${name}:`));
    return unquoted((found ?? "").slice(name.length + 1).replace(/\s#.*/, "").trim());
  };
  return { apiVersion: fact("apiVersion"), kind: fact("kind"), path };
}

function width(before: string): number {
  return before.length;
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, "$2").trim();
}
