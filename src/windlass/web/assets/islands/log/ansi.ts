// Terminal colours as spans with classes, with search matches marked across them.
import { make } from "../dom.ts";

interface Piece {
  text: string;
  classes: string;
}

const SGR = /\x1b\[([\d;]*)m|\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const STYLES: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike" };

export function pieces(message: string): Piece[] {
  if (!message.includes("\x1b")) return [{ text: message, classes: "" }];
  const found: Piece[] = [];
  const state = new State();
  let at = 0;
  for (const match of message.matchAll(SGR)) {
    if (match.index > at) found.push({ text: message.slice(at, match.index), classes: state.classes });
    at = match.index + match[0].length;
    if (match[1] !== undefined) state.apply(match[1]);
  }
  if (at < message.length) found.push({ text: message.slice(at), classes: state.classes });
  return found;
}

class State {
  private styles = new Set<string>();
  private color = 0;
  private background = false;

  get classes(): string {
    const names = [...this.styles].map((style) => `ansi-${style}`);
    if (this.color) names.push(`ansi-${this.color}`);
    if (this.background) names.push("ansi-bg");
    return names.join(" ");
  }

  apply(codes: string): void {
    const numbers = codes.split(";").map(Number);
    for (let i = 0; i < numbers.length; i++) {
      const code = numbers[i] ?? 0;
      if (code === 0) this.reset();
      else if (code === 38 || code === 48) i += this.extended(code, numbers.slice(i + 1));
      else if (STYLES[code]) this.styles.add(STYLES[code]);
      else if (code === 22) ["bold", "dim"].forEach((style) => this.styles.delete(style));
      else if (code >= 23 && code <= 29) this.styles.delete(STYLES[code - 20] ?? "");
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) this.color = soft(code % 10, code >= 90);
      else if (code === 39) this.color = 0;
      else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) this.background = true;
      else if (code === 49) this.background = false;
    }
  }

  private reset(): void {
    this.styles.clear();
    this.color = 0;
    this.background = false;
  }

  /** 256 colours and RGB are brought down to the eight that read well in light and dark. */
  private extended(code: number, rest: number[]): number {
    if (code === 48) this.background = true;
    if (rest[0] === 5) {
      if (code === 38) this.color = (rest[1] ?? 0) < 16 ? soft((rest[1] ?? 0) % 8, (rest[1] ?? 0) > 7) : 0;
      return 2;
    }
    if (code === 38) this.color = 0;
    return rest[0] === 2 ? 4 : 0;
  }
}

/** Black and white are the text's own colour; bright black is grey. */
function soft(color: number, bright: boolean): number {
  if (color === 0) return bright ? 8 : 0;
  return color === 7 ? 0 : color;
}

/** The message as nodes; `query` (lower case, or "") is marked. */
export function nodes(message: string, query: string): Node[] {
  const parts = pieces(message);
  const marks = query ? matches(parts.map((part) => part.text).join(""), query) : [];
  const made: Node[] = [];
  let position = 0;
  for (const part of parts) {
    const inner = marked(part.text, position, marks);
    position += part.text.length;
    if (part.classes) made.push(make("span", { class: part.classes }, ...inner));
    else made.push(...inner);
  }
  return made;
}

function matches(text: string, query: string): [number, number][] {
  const found: [number, number][] = [];
  const lower = text.toLowerCase();
  for (let at = lower.indexOf(query); at >= 0 && found.length < 100; at = lower.indexOf(query, at + query.length)) {
    found.push([at, at + query.length]);
  }
  return found;
}

function marked(text: string, offset: number, marks: [number, number][]): Node[] {
  const made: Node[] = [];
  let at = 0;
  for (const [from, to] of marks) {
    const start = Math.max(0, from - offset);
    const end = Math.min(text.length, to - offset);
    if (end <= at || start >= text.length) continue;
    if (start > at) made.push(document.createTextNode(text.slice(at, start)));
    made.push(make("mark", {}, text.slice(Math.max(start, at), end)));
    at = end;
  }
  if (at < text.length) made.push(document.createTextNode(text.slice(at)));
  return made;
}
