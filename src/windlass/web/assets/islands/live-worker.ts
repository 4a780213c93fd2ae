// One event stream for all tabs: a browser opens only six connections to a host over HTTP/1.1.
import { CHANNEL, follow, type Message } from "./live-messages.ts";

const channel = new BroadcastChannel(CHANNEL);
let last: Message | undefined;

follow((message) => {
  if (message.type !== "changed") last = message;
  channel.postMessage(message);
});

self.addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (last) port?.postMessage(last);
});
