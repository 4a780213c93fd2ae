// Draws only the rows in sight; rows that stay keep their elements, so a selection survives.
import { duration, icon, make } from "../dom.ts";
import { nodes } from "./ansi.ts";
import type { Lines, Phase, Row } from "./lines.ts";
import { number, t } from "../words.ts";

// Browsers stop at about 17 million pixels; a longer log scrolls a little faster than it is.
const HIGHEST = 15_000_000;
const SPARE = 10;

export class Rows {
  private readonly space = make("div", { class: "log-space" });
  private readonly window = make("div", { class: "log-window" });
  private drawn = new Map<string, HTMLElement>();
  private readonly height: number;
  query = "";
  hit = -1;
  chosen: [number, number] | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly lines: Lines,
    private readonly isMoving: () => boolean,
  ) {
    this.height = Number.parseFloat(getComputedStyle(box).getPropertyValue("--log-line")) || 20;
    this.space.append(this.window);
  }

  /** Take the place of what the server drew. */
  begin(): void {
    if (!this.space.isConnected) this.box.replaceChildren(this.space);
  }

  /** The scroll position that puts a row into the middle. */
  positionOf(row: number): number {
    const free = this.box.clientHeight;
    const top = Math.max(0, row * this.height - free / 2);
    const [full, seen] = [this.lines.rows * this.height - free, this.scrollHeight - free];
    return full > 0 ? Math.min(seen, (top / full) * seen) : 0;
  }

  /** The first line in sight. */
  get topLine(): number {
    const free = this.box.clientHeight;
    const [full, seen] = [this.lines.rows * this.height - free, this.scrollHeight - free];
    const top = seen > 0 ? (this.box.scrollTop / seen) * full : 0;
    const { line, phase } = this.lines.row(Math.max(0, Math.ceil(top / this.height)));
    return line ?? phase.first;
  }

  /** Where a row is in the whole, from 0 to 1, for the marks in the scroll bar. */
  shareOf(row: number): number {
    return this.lines.rows ? row / this.lines.rows : 0;
  }

  get scrollHeight(): number {
    return Math.min(HIGHEST, this.lines.rows * this.height);
  }

  /** Forget what is drawn: the query, the choice or the filter changed. */
  redraw(): void {
    this.drawn.forEach((element) => element.remove());
    this.drawn.clear();
    this.draw();
  }

  draw(): void {
    const { rows } = this.lines;
    this.space.style.height = `${this.scrollHeight}px`;
    this.box.style.setProperty("--log-width", `${this.box.clientWidth}px`);
    const free = this.box.clientHeight;
    const { scrollTop } = this.box;
    const [full, seen] = [rows * this.height - free, this.scrollHeight - free];
    const top = seen > 0 && full > seen ? (scrollTop / seen) * full : scrollTop;
    const first = Math.max(0, Math.floor(top / this.height) - SPARE);
    const last = Math.min(rows, Math.ceil((top + free) / this.height) + SPARE);
    this.window.style.transform = `translateY(${scrollTop - (top - first * this.height)}px)`;
    this.place(first, last);
  }

  private place(first: number, last: number): void {
    const kept = new Map<string, HTMLElement>();
    let before: Element | null = this.window.firstElementChild;
    for (let index = first; index < last; index++) {
      const row = this.lines.row(index);
      const key = row.line === null ? `p${row.phase.first}` : String(row.line);
      const element = this.drawn.get(key) ?? (row.line === null ? this.head(row.phase) : this.line(row));
      if (row.line === null) this.sayHead(element, row.phase);
      kept.set(key, element);
      if (element === before) before = before.nextElementSibling;
      else this.window.insertBefore(element, before);
    }
    for (const [key, element] of this.drawn) if (!kept.has(key)) element.remove();
    this.drawn = kept;
  }

  private line(row: Row): HTMLElement {
    const at = row.line!;
    const seq = this.lines.seq(at);
    const element = make(
      "div",
      { class: `line ${this.lines.level(at)}` },
      make("a", { class: "seq", href: `#L${seq}`, tabindex: "-1", "aria-label": t("Line {n}", { n: String(seq) }) }, String(seq)),
      make("span", { class: "message" }, ...nodes(this.lines.messages[at] ?? "", this.query)),
    );
    if (at === this.hit) element.classList.add("hit-here");
    if (this.chosen && at >= this.chosen[0] && at <= this.chosen[1]) element.classList.add("chosen");
    return element;
  }

  private head(phase: Phase): HTMLElement {
    const name = phase.step ? phase.step.charAt(0).toUpperCase() + phase.step.slice(1) : t("Log");
    const head = make(
      "button",
      { type: "button", class: "phase", "data-phase": String(phase.first) },
      icon("chevron-down"),
      make("span", {}, name),
      make("span", { class: "took num" }),
      make("span", { class: "trouble" }),
      make("span", { class: "came num" }),
    );
    return head;
  }

  /** What changes in a head while the build goes on. */
  private sayHead(head: HTMLElement, phase: Phase): void {
    const isLast = phase === this.lines.phases[this.lines.phases.length - 1];
    const end = isLast && this.isMoving() ? Date.now() : phase.endedAt;
    const seconds = Math.max(0, (end - phase.startedAt) / 1000);
    const errors = phase.errors ? `${number.format(phase.errors)} ${phase.errors === 1 ? "error" : "errors"}` : "";
    const lines = `${number.format(phase.count)} ${phase.count === 1 ? "line" : "lines"}`;
    head.setAttribute("aria-expanded", String(!phase.collapsed));
    [duration(seconds), errors, lines].forEach((words, index) => {
      const place = head.children[index + 2]!;
      if (place.textContent !== words) place.textContent = words;
    });
  }
}
