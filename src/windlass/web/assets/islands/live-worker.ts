// One event stream for all tabs: a browser opens only six connections to a host over HTTP/1.1.
import { CHANNEL, follow, type Message } from "./live-messages.ts";

// From the moment that a page is made to the moment that it listens.
const RECENT_MS = 10_000;
const channel = new BroadcastChannel(CHANNEL);
let last: Message | undefined;
let recent: { at: number; message: Message }[] = [];

follow((message) => {
  if (message.type === "changed") recent = [...fresh(), { at: Date.now(), message: { ...message, recent: true } }];
  else last = message;
  channel.postMessage(message);
});

self.addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (last) port?.postMessage(last);
  for (const { message } of fresh()) port?.postMessage(message);
});

function fresh(): typeof recent {
  return recent.filter(({ at }) => Date.now() - at < RECENT_MS);
}
