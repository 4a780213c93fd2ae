// From what was dropped or chosen to a flat list of files with their paths.
import { t } from "../words.ts";

export interface Found {
  path: string;
  file: File;
}

export interface Dropped {
  name: string;
  files: Found[];
  ignored: number;
  archive?: File;
}

// What no server needs: made anew by the build, or the tools' own.
const LEFT_OUT = new Set([
  ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".DS_Store", "Thumbs.db",
  ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".idea", ".next", ".nuxt", ".svelte-kit", ".windlass",
]);
export const MOST_FILES = 100_000;
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz|txz|tar\.xz)$/i;

export function fromInput(list: FileList): Dropped {
  const dropped: Dropped = { name: "", files: [], ignored: 0 };
  for (const file of list) {
    const [top = "", ...rest] = file.webkitRelativePath.split("/");
    dropped.name = top;
    add(dropped, rest.join("/"), file);
  }
  return dropped;
}

/** Entries must be taken before the event ends, so this part is not asynchronous. */
export function entriesOf(transfer: DataTransfer): FileSystemEntry[] {
  return [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
}

export async function fromEntries(entries: FileSystemEntry[], signal: AbortSignal): Promise<Dropped> {
  const only = entries.length === 1 ? entries[0] : undefined;
  const dropped: Dropped = { name: only?.name ?? "", files: [], ignored: 0 };
  if (only?.isFile && ARCHIVE.test(only.name)) {
    dropped.archive = await fileOf(only as FileSystemFileEntry);
    return dropped;
  }
  // A single folder is the project; several things lie in it side by side.
  const top = only?.isDirectory ? await childrenOf(only as FileSystemDirectoryEntry) : entries;
  const waiting = top.map((entry) => ({ entry, path: entry.name }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    signal.throwIfAborted();
    const { entry, path } = next;
    if (LEFT_OUT.has(entry.name)) {
      dropped.ignored += 1;
    } else if (entry.isDirectory) {
      const children = await childrenOf(entry as FileSystemDirectoryEntry);
      waiting.push(...children.map((child) => ({ entry: child, path: `${path}/${child.name}` })));
    } else {
      add(dropped, path, await fileOf(entry as FileSystemFileEntry));
    }
  }
  return dropped;
}

function add(dropped: Dropped, path: string, file: File): void {
  if (path.split("/").some((part) => LEFT_OUT.has(part))) {
    dropped.ignored += 1;
    return;
  }
  if (dropped.files.length >= MOST_FILES) throw new Error(t("The folder has more than 100,000 files."));
  dropped.files.push({ path: path.normalize("NFC"), file });
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** The browser gives a folder's entries in portions until an empty one. */
async function childrenOf(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
