// SHA-256 of files outside the page. WebCrypto where it exists (https, localhost), else in script.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

// WebCrypto wants the whole file in memory; a larger one goes through in pieces.
const IN_MEMORY_BYTES = 32 << 20;

self.addEventListener("message", async (event: MessageEvent<File[]>) => {
  for (const [at, file] of event.data.entries()) {
    try {
      self.postMessage({ at, sha256: await digest(file), isProgram: await isProgram(file) });
    } catch (error) {
      self.postMessage({ at, error: String(error) });
    }
  }
});

async function digest(file: File): Promise<string> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle && file.size <= IN_MEMORY_BYTES) {
    return bytesToHex(new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer())));
  }
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) hash.update(part.value);
  return bytesToHex(hash.digest());
}

/** A browser does not say which files may be executed; a script names its interpreter. */
async function isProgram(file: File): Promise<boolean> {
  return (await file.slice(0, 2).text()) === "#!";
}
