// Where the lines come from: pages until the present, then the stream, which a hidden tab leaves.
import { api } from "../dom.ts";
import type { Line } from "./lines.ts";

const PAGE = 5000;
const FLUSH_MS = 50;
const RETRY_MS = 2000;

export interface Sink {
  lastSeq: () => number;
  append: (lines: Line[]) => void;
  loaded: () => void;
  ended: () => void;
  lost: (isLost: boolean) => void;
}

export class Feed {
  private source: EventSource | undefined;
  private waiting: Line[] = [];
  private timer = 0;
  private isLoading = false;
  private isLoaded = false;

  constructor(
    private readonly deployment: string,
    private isMoving: boolean,
    private readonly sink: Sink,
  ) {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : void this.start()));
    // A version that is over still gets a line when it goes live.
    document.addEventListener("windlass:refreshed", () => this.isLoaded && void this.start());
  }

  /** Load what is there, then follow. Errors are said and tried again. */
  async start(): Promise<void> {
    if (this.isLoading || this.source) return;
    this.isLoading = true;
    try {
      await this.load();
      this.sink.lost(false);
    } catch {
      this.sink.lost(true);
      window.setTimeout(() => void this.start(), RETRY_MS);
      return;
    } finally {
      this.isLoading = false;
    }
    if (!this.isLoaded) this.sink.loaded();
    this.isLoaded = true;
    if (this.isMoving && !document.hidden) this.listen();
  }

  private async load(): Promise<void> {
    for (;;) {
      const path = `/api/deployments/${this.deployment}/logs?after=${this.sink.lastSeq()}&limit=${PAGE}`;
      const { data, meta } = await api<Line[]>(path);
      if (data.length) this.sink.append(data);
      if (!data.length || meta?.pagination?.hasMore === false) return;
    }
  }

  private listen(): void {
    const source = new EventSource(`/api/deployments/${this.deployment}/logs/stream?after=${this.sink.lastSeq()}`);
    this.source = source;
    source.addEventListener("open", () => this.sink.lost(false));
    source.addEventListener("log", (event) => this.take(JSON.parse((event as MessageEvent<string>).data) as Line));
    source.addEventListener("status", () => document.dispatchEvent(new Event("windlass:changed")));
    source.addEventListener("complete", () => {
      this.isMoving = false;
      this.close();
      this.sink.ended();
      document.dispatchEvent(new Event("windlass:changed"));
    });
    source.addEventListener("error", () => {
      this.sink.lost(true);
      this.close();
      window.setTimeout(() => void this.start(), RETRY_MS);
    });
  }

  private take(line: Line): void {
    this.waiting.push(line);
    this.timer ||= window.setTimeout(() => this.flush(), FLUSH_MS);
  }

  private flush(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    const lines = this.waiting;
    this.waiting = [];
    if (lines.length) this.sink.append(lines);
  }

  private close(): void {
    this.flush();
    this.source?.close();
    this.source = undefined;
  }
}
