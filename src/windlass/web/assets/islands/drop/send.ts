// Sends what the server lacks: small files together in one body, large ones alone, with progress.
import { api, ApiError, opened } from "../dom.ts";
import type { Found } from "./walk.ts";
import { t } from "../words.ts";

export interface Hashed extends Found {
  sha256: string;
  isProgram: boolean;
}

const ASK_AT_ONCE = 10_000;
const BATCH_BYTES = 8 << 20;
const BATCH_FILES = 2000;
const AT_ONCE = 3;
const HEAD_BYTES = 40;

export async function missing(files: Hashed[], signal: AbortSignal): Promise<Set<string>> {
  const hashes = [...new Set(files.map((file) => file.sha256))];
  const lacking = new Set<string>();
  for (let at = 0; at < hashes.length; at += ASK_AT_ONCE) {
    const body = JSON.stringify({ hashes: hashes.slice(at, at + ASK_AT_ONCE) });
    const answer = await post<{ missing: string[] }>("/api/blobs/missing", body, signal);
    answer.missing.forEach((hash) => lacking.add(hash));
  }
  return lacking;
}

/** Upload each content once. `sent` is told how many bytes went out since the last time. */
export async function upload(files: Hashed[], sent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const bodies = batches(files);
  const work = async (): Promise<void> => {
    for (let body = bodies.pop(); body; body = bodies.pop()) await sendBatch(body, sent, signal);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export async function createSource(files: Hashed[], name: string, signal: AbortSignal): Promise<string> {
  const entries = files
    .map(({ path, sha256, isProgram, file }) => ({ path, sha256, size: file.size, mode: isProgram ? "exec" : "file", target: "" }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const source = await post<{ id: string }>("/api/sources", JSON.stringify({ files: entries, name }), signal);
  return source.id;
}

export async function sendArchive(archive: File, sent: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  const path = `/api/sources/archive?name=${encodeURIComponent(archive.name)}`;
  const answer = await send<{ id: string }>("POST", path, archive, sent, signal);
  return answer.id;
}

function batches(files: Hashed[]): Hashed[][] {
  const unique = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const made: Hashed[][] = [];
  let bytes = BATCH_BYTES;
  for (const file of unique) {
    if (file.file.size > BATCH_BYTES) {
      made.push([file]);
      bytes = BATCH_BYTES;
      continue;
    }
    const last = made[made.length - 1];
    if (!last || bytes + file.file.size > BATCH_BYTES || last.length >= BATCH_FILES) {
      made.push([file]);
      bytes = file.file.size;
    } else {
      last.push(file);
      bytes += file.file.size;
    }
  }
  return made;
}

/** The form of POST /api/blobs: 32 bytes digest, 8 bytes length (big-endian), content, repeated. */
async function sendBatch(files: Hashed[], sent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const [only] = files;
  if (files.length === 1 && only && only.file.size > BATCH_BYTES) {
    await send("PUT", `/api/blobs/${only.sha256}`, only.file, sent, signal);
    return;
  }
  const parts = files.flatMap(({ sha256, file }) => {
    const head = new DataView(new ArrayBuffer(HEAD_BYTES));
    for (let i = 0; i < 32; i++) head.setUint8(i, Number.parseInt(sha256.slice(i * 2, i * 2 + 2), 16));
    head.setBigUint64(32, BigInt(file.size));
    return [head.buffer, file];
  });
  await send("POST", "/api/blobs", new Blob(parts, { type: "application/octet-stream" }), sent, signal);
}

async function post<T>(path: string, body: string, signal: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return (await api<T>(path, { method: "POST", body, headers, signal })).data;
}

/** fetch cannot tell how far an upload is. */
function send<T>(method: string, path: string, body: Blob, sent: (bytes: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let before = 0;
    request.open(method, path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", document.documentElement.lang);
    request.upload.addEventListener("progress", (event) => {
      sent(event.loaded - before);
      before = event.loaded;
    });
    request.addEventListener("load", () => {
      try {
        resolve(opened<T>(request.status, request.responseText).data);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    request.addEventListener("error", () => reject(new ApiError(t("The connection to Windlass was lost."), 0)));
    signal.addEventListener("abort", () => {
      request.abort();
      reject(new DOMException("Cancelled", "AbortError"));
    });
    request.send(body);
  });
}
