// The build log: follows until somebody scrolls up, folds phases, searches, copies, links to lines.
import { copy, icon, make, one } from "../dom.ts";
import { toast } from "../toasts.ts";
import { number, t, tn } from "../words.ts";
import { Feed } from "./feed.ts";
import { type Line, Lines } from "./lines.ts";
import { Rows } from "./rows.ts";
import { Search } from "./search.ts";

export function mount(root: HTMLElement): void {
  new View(root);
}

class View {
  private readonly lines = new Lines();
  private readonly box: HTMLElement;
  private readonly state: HTMLElement;
  private readonly button: HTMLElement;
  private readonly marks: HTMLCanvasElement;
  private readonly rows: Rows;
  private readonly search: Search;
  private isMoving: boolean;
  private isLost = false;
  private isFollowing: boolean;
  private seenAt = 0;
  private lastTop = 0;
  private hit = -1;
  private frame = 0;

  constructor(private readonly root: HTMLElement) {
    this.isMoving = root.dataset["moving"] === "true";
    this.isFollowing = !location.hash.startsWith("#L");
    this.box = one("[data-log-lines]", root);
    this.state = one("[data-log-state]", root);
    this.button = one("[data-log-follow]", root);
    this.marks = one<HTMLCanvasElement>("[data-log-marks]", root);
    this.rows = new Rows(this.box, this.lines, () => this.isMoving);
    this.search = new Search(this.lines, () => this.onFound());
    this.listen();
    const feed = new Feed(root.dataset["log"] ?? "", this.isMoving, {
      lastSeq: () => this.lines.lastSeq,
      append: (lines) => this.append(lines),
      loaded: () => this.onLoaded(),
      ended: () => this.onEnded(),
      lost: (isLost) => this.onLost(isLost),
    });
    void feed.start();
  }

  private listen(): void {
    this.box.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.box.addEventListener("click", (event) => this.onClick(event));
    this.button.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.later()).observe(this.box);
    document.addEventListener("windlass:follow", () => (this.isFollowing ? this.pause() : this.follow()));
    window.addEventListener("hashchange", () => this.goToHash());
    const input = one<HTMLInputElement>("[data-log-search]", this.root);
    let timer = 0;
    input.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => this.lookFor(input.value), 120);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.lookFor((input.value = ""));
    });
    one("[data-log-next]", this.root).addEventListener("click", () => this.step(1));
    one("[data-log-previous]", this.root).addEventListener("click", () => this.step(-1));
    one<HTMLSelectElement>("[data-log-level]", this.root).addEventListener("change", (event) => {
      this.lines.showFrom(Number((event.target as HTMLSelectElement).value));
      this.lookFor(input.value);
      this.rows.redraw();
      this.toEnd();
    });
    one("[data-log-copy]", this.root).addEventListener("click", () => void this.copy());
    one("[data-log-download]", this.root).addEventListener("click", () => this.download());
    if (this.isMoving) window.setInterval(() => this.isMoving && !document.hidden && this.later(), 1000);
  }

  private append(lines: Line[]): void {
    this.lines.append(lines);
    this.rows.begin();
    void this.search.go();
    this.later();
  }

  private onLoaded(): void {
    if (this.lines.length) this.goToHash();
    this.later();
  }

  private onEnded(): void {
    this.isMoving = false;
    this.later();
  }

  private onLost(isLost: boolean): void {
    this.isLost = isLost;
    this.say();
  }

  /** One drawing per frame, however many lines came. */
  private later(): void {
    if (this.frame) return;
    const draw = (): void => {
      this.frame = 0;
      this.draw();
    };
    this.frame = document.hidden ? window.setTimeout(draw, 200) : requestAnimationFrame(draw);
  }

  private draw(): void {
    if (!this.lines.length) return this.say();
    this.rows.draw();
    if (this.isFollowing) this.toEnd();
    this.say();
    this.search.mark(this.marks, this.rows);
  }

  private toEnd(): void {
    this.box.scrollTop = this.rows.scrollHeight;
    this.lastTop = this.box.scrollTop;
    this.rows.draw();
  }

  private onScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.box;
    if (scrollTop + clientHeight >= scrollHeight - 4) this.isFollowing = true;
    else if (scrollTop < this.lastTop - 1 && this.isFollowing) this.pause();
    this.lastTop = scrollTop;
    if (this.lines.length) this.rows.draw();
    this.say();
  }

  private pause(): void {
    this.isFollowing = false;
    this.seenAt = this.lines.length;
    this.say();
  }

  private follow(): void {
    this.isFollowing = true;
    this.later();
  }

  private say(): void {
    const all = this.lines.length;
    let words = all ? tn("{n} line", "{n} lines", all) : "";
    if (this.isLost) words = t("Connection lost, trying again");
    else if (this.isMoving && this.isFollowing) words = tn("{n} line, following", "{n} lines, following", all);
    else if (this.isMoving) words = tn("{n} line, paused", "{n} lines, paused", all);
    if (this.state.textContent !== words) this.state.textContent = words;
    this.button.hidden = this.isFollowing || !this.isMoving;
    if (this.button.hidden) return;
    const fresh = this.lines.length - this.seenAt;
    const label = fresh > 0 ? t("Paused, {n} new. Follow", { n: number.format(fresh) }) : t("Paused. Follow");
    if (this.button.textContent !== label) this.button.replaceChildren(icon("arrow-down-to-line"), label);
  }

  private onClick(event: MouseEvent): void {
    const target = event.target as Element;
    const head = target.closest<HTMLElement>("[data-phase]");
    const seq = target.closest<HTMLAnchorElement>("a.seq");
    if (head) this.fold(Number(head.dataset["phase"]));
    if (!seq) return;
    event.preventDefault();
    const line = this.lines.lineOf(Number(seq.hash.slice(2)));
    const other = event.shiftKey && this.rows.chosen ? this.rows.chosen[0] : line;
    this.choose(Math.min(line, other), Math.max(line, other));
    const [from, to] = this.rows.chosen!;
    const hash = `#L${this.lines.seq(from)}` + (to > from ? `-L${this.lines.seq(to)}` : "");
    history.replaceState(null, "", hash);
  }

  private fold(first: number): void {
    const phase = this.lines.phases.find((found) => found.first === first);
    if (!phase) return;
    phase.collapsed = !phase.collapsed;
    if (this.isFollowing) this.pause();
    this.lines.layOut();
    this.later();
  }

  private choose(from: number, to: number): void {
    this.rows.chosen = [from, to];
    this.rows.redraw();
  }

  private goToHash(): void {
    const found = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
    if (!found) return;
    const from = this.lines.lineOf(Number(found[1]));
    this.choose(from, found[2] ? this.lines.lineOf(Number(found[2])) : from);
    this.show(from);
  }

  /** Bring a line into the middle of the view, out of a folded phase if need be. */
  private show(line: number): void {
    const phase = this.lines.phaseOf(line);
    if (phase?.collapsed) {
      phase.collapsed = false;
      this.lines.layOut();
    }
    if (this.isFollowing) this.pause();
    this.rows.draw();
    this.box.scrollTop = this.rows.positionOf(this.lines.rowOf(line));
    this.lastTop = this.box.scrollTop;
    this.rows.redraw();
  }

  private lookFor(query: string): void {
    this.rows.query = query.toLowerCase();
    this.hit = this.rows.hit = -1;
    this.search.start(query);
    if (this.lines.length) this.rows.redraw();
  }

  private onFound(): void {
    const { hits } = this.search;
    const none = this.rows.query ? "0" : "";
    const at = this.hit < 0 ? "" : `${number.format(this.hit + 1)}/`;
    one("[data-log-hits]", this.root).textContent = hits.length ? at + number.format(hits.length) : none;
    this.search.mark(this.marks, this.rows);
  }

  private step(by: number): void {
    const { hits } = this.search;
    if (!hits.length) return;
    // The first step goes to a match in sight or below it, as in an editor.
    const here = this.hit < 0 ? this.firstHitInSight() - (by > 0 ? 1 : 0) : this.hit;
    this.hit = (here + by + hits.length) % hits.length;
    this.rows.hit = hits[this.hit] ?? -1;
    this.show(this.rows.hit);
    this.onFound();
  }

  private firstHitInSight(): number {
    const top = this.rows.topLine;
    const found = this.search.hits.findIndex((line) => line >= top);
    return found < 0 ? 0 : found;
  }

  private async copy(): Promise<void> {
    const chosen = this.rows.chosen;
    await copy(chosen ? this.lines.text(chosen[0], chosen[1] + 1) : this.lines.text());
    const count = chosen ? chosen[1] - chosen[0] + 1 : this.lines.length;
    toast("ok", tn("Copied {n} line.", "Copied {n} lines.", count));
  }

  private download(): void {
    const url = URL.createObjectURL(new Blob([this.lines.text()], { type: "text/plain" }));
    make("a", { href: url, download: `${this.root.dataset["name"]}.log` }).click();
    window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
