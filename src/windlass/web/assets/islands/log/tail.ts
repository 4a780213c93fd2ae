// The log of a running app: new lines come at the end for as long as somebody follows.
import { make, one } from "../dom.ts";
import { t, tn } from "../words.ts";
import { pieces } from "./ansi.ts";

const MOST = 2000;

interface Line {
  time: string;
  process: string;
  level: string;
  message: string;
}

export function mount(root: HTMLElement): void {
  new Tail(root);
}

class Tail {
  private readonly box: HTMLElement;
  private readonly list: HTMLElement;
  private readonly state: HTMLElement;
  private readonly button: HTMLButtonElement | null;
  private readonly hasNames: boolean;
  private source: EventSource | undefined;
  private waiting: Line[] = [];
  private frame = 0;
  private came = 0;

  constructor(private readonly root: HTMLElement) {
    this.box = one(".log-lines", root);
    this.list = one("[data-tail-lines]", root);
    this.state = one("[data-tail-state]", root);
    this.hasNames = root.querySelectorAll("select[name=process] option").length > 2;
    this.button = root.querySelector<HTMLButtonElement>("[data-tail-toggle]");
    this.box.scrollTop = this.box.scrollHeight;
    for (const select of root.querySelectorAll("select")) {
      select.addEventListener("change", () => select.form?.requestSubmit());
    }
    if (!this.button) return;
    this.button.addEventListener("click", () => (this.source ? this.stop() : this.start()));
    document.addEventListener("windlass:follow", () => (this.source ? this.stop() : this.start()));
    window.addEventListener("pagehide", () => this.source?.close());
    this.start();
  }

  private start(): void {
    const source = new EventSource(this.root.dataset["tail"] ?? "");
    this.source = source;
    source.addEventListener("open", () => this.say());
    source.addEventListener("log", (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      if (lastEventId) this.goOnFrom(lastEventId);
      this.take(JSON.parse(data) as Line);
    });
    // The browser tries again by itself, from the last line that it got.
    source.addEventListener("error", () => (this.state.textContent = t("Connection lost, trying again")));
    this.say();
  }

  private stop(): void {
    this.source?.close();
    this.source = undefined;
    this.say();
  }

  private goOnFrom(place: string): void {
    const address = new URL(this.root.dataset["tail"] ?? "", location.href);
    address.searchParams.set("after", place);
    this.root.dataset["tail"] = address.pathname + address.search;
  }

  private take(line: Line): void {
    this.waiting.push(line);
    if (!this.frame) this.frame = window.setTimeout(() => this.draw(), 50);
  }

  private draw(): void {
    this.frame = 0;
    const isAtEnd = this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - 8;
    const fresh = this.waiting.slice(-MOST);
    this.came += this.waiting.length;
    this.waiting = [];
    this.root.querySelector("[data-tail-empty]")?.remove();
    this.list.append(...fresh.map((line) => this.row(line)));
    while (this.list.childElementCount > MOST) this.list.firstElementChild?.remove();
    if (isAtEnd) this.box.scrollTop = this.box.scrollHeight;
    this.say();
  }

  private row(line: Line): HTMLElement {
    const message = make("span", { class: "message" });
    for (const piece of pieces(line.message)) {
      message.append(piece.classes ? make("span", { class: piece.classes }, piece.text) : piece.text);
    }
    const names = this.hasNames ? [make("span", { class: "of" }, line.process)] : [];
    const time = make("time", { datetime: line.time }, line.time.slice(11, 23));
    return make("li", { class: `line ${line.level}` }, time, ...names, message);
  }

  private say(): void {
    const isFollowing = this.source !== undefined;
    this.button?.setAttribute("aria-pressed", String(isFollowing));
    if (this.button) this.button.textContent = isFollowing ? t("Stop") : t("Follow");
    const words = this.came ? tn("{n} new line", "{n} new lines", this.came) : t("Waiting for new lines");
    this.state.textContent = isFollowing ? words : t("Stopped");
  }
}
