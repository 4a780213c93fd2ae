// Finds text in a million lines in slices, so that typing and scrolling stay free, and marks it.
import type { Lines } from "./lines.ts";
import type { Rows } from "./rows.ts";

const SLICE = 25_000;

export class Search {
  hits: number[] = [];
  private pattern: RegExp | null = null;
  private looked = 0;
  private run = 0;

  constructor(
    private readonly lines: Lines,
    private readonly found: () => void,
  ) {}

  /** Look for `query` from the first line on; an empty one ends the search. */
  start(query: string): void {
    this.pattern = query ? new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i") : null;
    this.hits = [];
    this.looked = 0;
    void this.go();
  }

  /** Go on with lines that came since. */
  async go(): Promise<void> {
    const run = ++this.run;
    while (this.pattern && this.looked < this.lines.length && run === this.run) {
      const end = Math.min(this.lines.length, this.looked + SLICE);
      for (let line = this.looked; line < end; line++) {
        if (this.pattern.test(this.lines.plain(line)) && this.lines.isChosen(line)) this.hits.push(line);
      }
      this.looked = end;
      this.found();
      await new Promise((free) => setTimeout(free));
    }
    if (run === this.run) this.found();
  }

  /** One stroke per pixel beside the scroll bar. */
  mark(canvas: HTMLCanvasElement, rows: Rows): void {
    canvas.hidden = this.hits.length === 0;
    if (canvas.hidden) return;
    const ratio = window.devicePixelRatio || 1;
    const height = canvas.clientHeight;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    if (!context) return;
    context.scale(ratio, ratio);
    context.fillStyle = getComputedStyle(canvas).color;
    let last = -1;
    for (const line of this.hits) {
      const row = this.lines.rowOf(line);
      const y = Math.round(rows.shareOf(row) * (height - 3));
      if (row < 0 || y === last) continue;
      context.fillRect(canvas.clientWidth - 8, y, 8, 3);
      last = y;
    }
  }
}
