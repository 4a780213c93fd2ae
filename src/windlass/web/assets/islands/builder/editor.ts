// An editor for YAML: a text area over its own painted lines. It is what the platform has for typing,
// with undo, spell checkers off, screen readers and phones, and costs a tenth of a code editor.
import { make, one } from "../dom.ts";
import { t } from "../words.ts";
import { type Piece, painted, spot, type Spot } from "./yaml.ts";

export interface Mark {
  line: number;
  severity: "error" | "warning" | "info";
  text: string;
}

export class Editor {
  readonly area: HTMLTextAreaElement;
  private readonly paint: HTMLElement;
  private readonly tip: HTMLElement;
  private readonly rows: HTMLElement[] = [];
  private known: string[] = [];
  private lines: string[] = [];
  private marks = new Map<number, Mark[]>();
  private isShown = false;
  private timer = 0;
  private hovered = -1;

  constructor(
    private readonly root: HTMLElement,
    private readonly heard: { edited: () => void; pointed: (spot: Spot | null) => Promise<string> },
  ) {
    this.paint = make("pre", { class: "paint", "aria-hidden": "true" });
    this.area = make("textarea", {
      class: "mono", spellcheck: "false", autocapitalize: "none", autocomplete: "off", wrap: "off", "aria-label": t("YAML of the application"),
    });
    this.tip = make("div", { class: "tip", role: "tooltip", hidden: "" });
    this.root.replaceChildren(make("div", { class: "sheet" }, this.paint, this.area), this.tip);
    this.root.removeAttribute("aria-busy");
    this.area.addEventListener("input", () => {
      this.draw();
      this.heard.edited();
    });
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("pointermove", (event) => this.onMove(event));
    this.area.addEventListener("pointerleave", () => this.leave());
    this.draw();
  }

  get text(): string {
    return this.area.value;
  }

  show(text: string): void {
    if (text === this.area.value) return;
    const top = this.root.scrollTop;
    this.area.value = text;
    this.draw();
    this.root.scrollTop = top;
  }

  reveal(isShown: boolean): void {
    this.isShown = isShown;
    this.draw();
  }

  mark(marks: Mark[]): void {
    this.marks = new Map();
    for (const one of marks) this.marks.set(one.line - 1, [...(this.marks.get(one.line - 1) ?? []), one]);
    this.rows.forEach((row, number) => this.dress(row, number));
  }

  /** The line in the middle of the window, and the caret in it. */
  go(line: number): void {
    const start = this.lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(start, start + (this.lines[line - 1]?.length ?? 0));
    this.root.scrollTop = Math.max(0, (line - 1) * this.height() - this.root.clientHeight / 3);
  }

  /** The field at the caret. */
  here(): Spot | null {
    return spot(this.lines, this.area.value.slice(0, this.area.selectionStart).split("\n").length - 1);
  }

  private draw(): void {
    this.lines = this.area.value.split("\n");
    const pieces = this.area.value === "" ? [] : painted(this.lines, this.isShown);
    const keys = pieces.map((line) => line.map((piece) => `${piece.kind}\u0001${piece.text}`).join("\u0002"));
    // Lines that stay keep their elements: only what was typed is drawn again.
    let head = 0;
    while (head < keys.length && head < this.known.length && keys[head] === this.known[head]) head++;
    let tail = 0;
    const most = Math.min(keys.length, this.known.length) - head;
    while (tail < most && keys[keys.length - 1 - tail] === this.known[this.known.length - 1 - tail]) tail++;
    const made = pieces.slice(head, keys.length - tail).map(drawn);
    const gone = this.rows.splice(head, this.known.length - head - tail, ...made);
    const next = this.rows[head + made.length] ?? null;
    for (const row of gone) row.remove();
    const batch = document.createDocumentFragment();
    batch.append(...made);
    this.paint.insertBefore(batch, next);
    this.known = keys;
    this.rows.forEach((row, number) => this.dress(row, number));
    this.area.rows = this.lines.length + 1;
    this.area.cols = Math.max(20, ...this.lines.map((line) => line.length + 2));
  }

  private dress(row: HTMLElement, number: number): void {
    const worst = ["error", "warning", "info"].find((word) => this.marks.get(number)?.some((one) => one.severity === word));
    row.className = worst ? `row-line ${worst}` : "row-line";
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const before = this.area.value.slice(0, this.area.selectionStart).split("\n").pop() ?? "";
    const indent = /^\s*(?:- )?/.exec(before)?.[0].replace("-", " ") ?? "";
    const deeper = /:\s*$/.test(before) ? "  " : "";
    if (!indent && !deeper) return;
    event.preventDefault();
    // Deprecated, and the only way that keeps undo.
    document.execCommand("insertText", false, `\n${indent}${deeper}`);
  }

  private onMove(event: PointerEvent): void {
    if (event.pointerType === "touch") return;
    const box = this.area.getBoundingClientRect();
    const number = Math.floor((event.clientY - box.top) / this.height());
    if (number === this.hovered) return;
    this.leave();
    this.hovered = number;
    this.timer = window.setTimeout(() => void this.tell(number), 250);
  }

  private async tell(number: number): Promise<void> {
    const marks = (this.marks.get(number) ?? []).map((one) => make("p", { class: one.severity }, one.text));
    const said = await this.heard.pointed(spot(this.lines, number));
    if (this.hovered !== number || (!said && marks.length === 0)) return;
    this.tip.replaceChildren(...marks, ...(said ? [make("p", {}, said)] : []));
    this.tip.hidden = false;
    this.tip.style.setProperty("top", `${(number + 1) * this.height()}px`);
    this.tip.style.setProperty("left", `${this.root.scrollLeft}px`);
  }

  private leave(): void {
    window.clearTimeout(this.timer);
    this.hovered = -1;
    this.tip.hidden = true;
  }

  private height(): number {
    return parseFloat(getComputedStyle(one(".sheet", this.root)).lineHeight);
  }
}

function drawn(pieces: Piece[]): HTMLElement {
  const row = make("div", { class: "row-line" });
  for (const piece of pieces) row.append(piece.kind ? make("span", { class: `y-${piece.kind}` }, piece.text) : piece.text);
  // An empty line has its height, too.
  if (pieces.length === 0) row.append("\u200b");
  return row;
}
