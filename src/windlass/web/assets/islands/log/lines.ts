// A million log lines in columns, their phases, and which row of the view shows which line.

export interface Line {
  seq: number;
  level: string;
  step: string | null;
  message: string;
  timestamp: string;
}

export interface Phase {
  step: string;
  first: number;
  count: number;
  startedAt: number;
  endedAt: number;
  errors: number;
  collapsed: boolean;
}

/** A row of the view: the head of a phase, or a line of it. */
export type Row = { phase: Phase; line: number | null };

const LEVELS = ["info", "success", "warn", "error"];
// A log whose step changes with every line gains nothing from heads.
const MOST_PHASES = 200;
const CODES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

export class Lines {
  readonly messages: string[] = [];
  readonly phases: Phase[] = [];
  private seqs = new Uint32Array(1024);
  private levels = new Uint8Array(1024);
  /** Lines at or above `least`, when a level is chosen. */
  private chosen: number[] = [];
  private starts: number[] = [0];
  private least = 0;

  get length(): number {
    return this.messages.length;
  }

  get lastSeq(): number {
    return this.length ? this.seq(this.length - 1) : 0;
  }

  seq(line: number): number {
    return this.seqs[line] ?? 0;
  }

  level(line: number): string {
    return LEVELS[this.levels[line] ?? 0] ?? "info";
  }

  plain(line: number): string {
    return plain(this.messages[line] ?? "");
  }

  /** Append what is new; a line that is known already (a resumed stream) is left out. */
  append(lines: Line[]): void {
    for (const line of lines) if (line.seq > this.lastSeq) this.add(line);
    this.layOut();
  }

  showFrom(level: number): void {
    this.least = level;
    this.chosen = [];
    for (let line = 0; level && line < this.length; line++) this.choose(line);
    this.layOut();
  }

  /** Call after a phase was folded or unfolded. */
  layOut(): void {
    this.starts = [0];
    let rows = 0;
    for (const phase of this.phases) {
      const [from, to] = this.range(phase);
      rows += 1 + (phase.collapsed ? 0 : to - from);
      this.starts.push(rows);
    }
  }

  get rows(): number {
    return this.starts[this.starts.length - 1] ?? 0;
  }

  row(index: number): Row {
    const at = below(this.starts, index);
    const phase = this.phases[at]!;
    const inside = index - this.starts[at]!;
    if (inside === 0) return { phase, line: null };
    const from = this.range(phase)[0] + inside - 1;
    return { phase, line: this.least ? this.chosen[from]! : from };
  }

  /** The row that shows a line; -1 when a filter or a folded phase hides it. */
  rowOf(line: number): number {
    const at = this.phaseAt(line);
    const phase = this.phases[at];
    if (!phase || phase.collapsed || !this.isChosen(line)) return -1;
    const position = this.least ? below(this.chosen, line) : line;
    return this.starts[at]! + 1 + position - this.range(phase)[0];
  }

  phaseOf(line: number): Phase | undefined {
    return this.phases[this.phaseAt(line)];
  }

  isChosen(line: number): boolean {
    return (this.levels[line] ?? 0) >= this.least;
  }

  /** The line with this number, or the next one. */
  lineOf(seq: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.seq(middle) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  text(from = 0, to = this.length): string {
    const parts: string[] = [];
    for (let line = from; line < to; line++) parts.push(this.plain(line));
    return parts.join("\n") + (parts.length ? "\n" : "");
  }

  private add(line: Line): void {
    const at = this.length;
    if (at === this.seqs.length) this.grow();
    const level = Math.max(0, LEVELS.indexOf(line.level));
    this.seqs[at] = line.seq;
    this.levels[at] = level;
    this.messages.push(line.message);
    const time = Date.parse(line.timestamp);
    let phase = this.phases[this.phases.length - 1];
    const step = line.step ?? "";
    if (!phase || (phase.step !== step && this.phases.length < MOST_PHASES)) {
      if (phase) phase.endedAt = time;
      phase = { step, first: at, count: 0, startedAt: time, endedAt: time, errors: 0, collapsed: false };
      this.phases.push(phase);
    }
    phase.count += 1;
    phase.endedAt = time;
    if (level === 3) phase.errors += 1;
    if (this.least) this.choose(at);
  }

  private grow(): void {
    const seqs = new Uint32Array(this.seqs.length * 2);
    seqs.set(this.seqs);
    this.seqs = seqs;
    const levels = new Uint8Array(this.levels.length * 2);
    levels.set(this.levels);
    this.levels = levels;
  }

  private choose(line: number): void {
    if (this.isChosen(line)) this.chosen.push(line);
  }

  private range(phase: Phase): [number, number] {
    const end = phase.first + phase.count;
    if (!this.least) return [phase.first, end];
    return [lowerBound(this.chosen, phase.first), lowerBound(this.chosen, end)];
  }

  private phaseAt(line: number): number {
    let [low, high] = [0, this.phases.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.phases[middle]!.first <= line) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

export function plain(message: string): string {
  return message.includes("\x1b") ? message.replace(CODES, "") : message;
}

function lowerBound(sorted: number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last position whose value is not above `value`. */
function below(sorted: number[], value: number): number {
  return lowerBound(sorted, value + 1) - 1;
}
