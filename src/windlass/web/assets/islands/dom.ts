// Small words for the document, the API and the clipboard, used by every island.
import { t } from "./words.ts";

export function one<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`No ${selector} on this page`);
  return found;
}

export function all<T extends Element = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): T[] {
  return [...root.querySelectorAll<T>(selector)];
}

type Child = Node | string;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An icon of the sprite; its address is taken from an icon that the server drew. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite()}#${name}`);
  svg.append(use);
  return svg;
}

function sprite(): string {
  return document.querySelector("use")?.getAttribute("href")?.split("#")[0] ?? "";
}

interface Envelope<T> {
  ok: boolean;
  data: T;
  error?: { code: string; message: string; details?: Record<string, unknown> };
  meta?: { pagination?: { cursor?: string | null; hasMore?: boolean } };
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export async function api<T>(path: string, options: RequestInit = {}): Promise<Envelope<T>> {
  const response = await fetch(path, {
    ...options,
    // What the API says is shown to whoever reads this page.
    headers: { Accept: "application/json", ...options.headers, "Accept-Language": document.documentElement.lang },
  });
  return opened<T>(response.status, await response.text());
}

/** The envelope of an answer; one that says no becomes an error with its message. */
export function opened<T>(status: number, body: string): Envelope<T> {
  let envelope: Envelope<T> | undefined;
  try {
    envelope = JSON.parse(body) as Envelope<T>;
  } catch {
    // A proxy in between may answer with a page.
  }
  if (!envelope?.ok) {
    const message = envelope?.error?.message ?? t("Windlass answered {status}.", { status: String(status) });
    throw new ApiError(message, status, envelope?.error?.details);
  }
  return envelope;
}

/** `navigator.clipboard` exists only on https and localhost. */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = make("textarea", { class: "unseen", readonly: "" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let amount = bytes;
  for (const unit of ["KiB", "MiB", "GiB"]) {
    amount /= 1024;
    if (amount < 1023.95) return `${amount.toFixed(1)} ${unit}`;
  }
  return `${(amount / 1024).toFixed(1)} TiB`;
}

export function duration(seconds: number): string {
  const plain = (value: number, digits = 0): string => value.toFixed(digits);
  if (seconds < 10) return t("{n} s", { n: plain(seconds, 1) });
  if (Math.round(seconds) < 60) return t("{n} s", { n: plain(Math.round(seconds)) });
  const minutes = Math.floor(Math.round(seconds) / 60);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (minutes < 60) return t("{m} min {s} s", { m: plain(minutes), s: two(Math.round(seconds) % 60) });
  return t("{h} h {m} min", { h: plain(Math.floor(minutes / 60)), m: two(minutes % 60) });
}

/** Whether a key that was pressed belongs to somebody who types. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
