// What the live worker tells the pages, and where.
export const CHANNEL = "windlass-live";
export const STREAM = "/api/events/stream";

export type Message = { type: "open" } | { type: "lost" } | { type: "changed"; kind: string; id: string; recent: boolean };

const RETRY_MS = 3000;

/** Follow the stream for ever; `tell` hears of every change and of the connection. */
export function follow(tell: (message: Message) => void): void {
  const source = new EventSource(STREAM);
  source.addEventListener("open", () => tell({ type: "open" }));
  source.addEventListener("changed", (event) => {
    const found = JSON.parse((event as MessageEvent<string>).data) as { kind: string; id: string; recent?: boolean };
    tell({ type: "changed", kind: found.kind, id: found.id, recent: found.recent ?? false });
  });
  source.addEventListener("error", () => {
    tell({ type: "lost" });
    // The browser tries again by itself, except after an answer that is no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow(tell), RETRY_MS);
  });
}
