// Drop a folder or an archive: read, hash in a worker, send what is missing, go to the plan.
import { ApiError, one, size } from "../dom.ts";
import { number, t } from "../words.ts";
import { createSource, type Hashed, missing, sendArchive, upload } from "./send.ts";
import { sift } from "./sift.ts";
import { type Dropped, entriesOf, type Found, fromEntries, fromInput } from "./walk.ts";

export function mount(root: HTMLElement): void {
  new Drop(root);
}

function part(some: string, all: string): string {
  return t("{some} of {all}", { some, all });
}

class Drop {
  private aborting = new AbortController();

  constructor(private readonly root: HTMLElement) {
    const window = document.documentElement;
    // The whole page is the target: nobody hits a box while dragging.
    window.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    window.addEventListener("dragleave", (event) => event.relatedTarget ?? root.classList.remove("over"));
    window.addEventListener("drop", (event) => this.onDrop(event));
    this.part("cancel").addEventListener("click", () => this.aborting.abort());
    const folder = this.part<HTMLInputElement>("folder");
    const archive = this.part<HTMLInputElement>("archive");
    const chosen = (): void => {
      const [file] = archive.files ?? [];
      if (folder.files?.length) void this.run(() => fromInput(folder.files!));
      else if (file) void this.run(() => ({ name: file.name, files: [], ignored: 0, archive: file }));
    };
    folder.addEventListener("change", chosen);
    archive.addEventListener("change", chosen);
    // Somebody may have been quicker than this script.
    chosen();
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T {
    return one<T>(`[data-drop-${name}]`, this.root);
  }

  private onDrop(event: DragEvent): void {
    event.preventDefault();
    this.root.classList.remove("over");
    if (!event.dataTransfer || !this.part("busy").hidden) return;
    const entries = entriesOf(event.dataTransfer);
    void this.run(() => fromEntries(entries, this.aborting.signal));
  }

  private async run(read: () => Dropped | Promise<Dropped>): Promise<void> {
    this.aborting = new AbortController();
    this.show({ busy: true });
    try {
      this.say(t("Reading the folder"), null, "");
      const dropped = await read();
      const found = dropped.archive ? { source: await this.archive(dropped.archive) } : await this.folder(dropped);
      this.say(t("Reading the plan"), 1, "");
      location.assign(`${this.root.dataset["next"]}?${new URLSearchParams(found)}`);
    } catch (error) {
      this.show({ busy: false, error: this.words(error) });
    }
  }

  private words(error: unknown): string {
    if (error instanceof DOMException && error.name === "AbortError") return "";
    if (error instanceof DOMException) return t("The browser could not read a file. Was the folder changed meanwhile?");
    return error instanceof Error ? error.message : String(error);
  }

  private async archive(file: File): Promise<string> {
    let sent = 0;
    const progress = (bytes: number): void => {
      sent += bytes;
      this.say(t("Sending the archive"), sent / file.size, part(size(sent), size(file.size)));
    };
    progress(0);
    return sendArchive(file, progress, this.aborting.signal);
  }

  /** The source, and how many files were left out, as the next page takes it. */
  private async folder(dropped: Dropped): Promise<Record<string, string>> {
    const { kept, byRules, always } = await sift(dropped.files, this.aborting.signal);
    if (!kept.length) {
      throw new Error(
        dropped.ignored || byRules || always
          ? t("Nothing in this folder is to be deployed: all of it is left out by .gitignore or .windlassignore, or is never sent (node_modules, .git, .env and the like).")
          : t("The folder is empty."),
      );
    }
    const source = await this.source(await this.hash(kept), dropped.name);
    return { source, ...(byRules && { ignored: String(byRules) }), ...(always && { withheld: String(always) }) };
  }

  private async source(files: Hashed[], name: string): Promise<string> {
    const { signal } = this.aborting;
    const lacking = await missing(files, signal);
    await this.send(files.filter((file) => lacking.has(file.sha256)));
    try {
      return await createSource(files, name, signal);
    } catch (error) {
      // The server may have thrown away unused content meanwhile: send exactly that and ask again.
      const gone = error instanceof ApiError && error.status === 409 ? error.details["missing"] : null;
      if (!Array.isArray(gone)) throw error;
      await this.send(files.filter((file) => gone.includes(file.sha256)));
      return createSource(files, name, signal);
    }
  }

  private async send(files: Hashed[]): Promise<void> {
    const total = [...new Map(files.map((file) => [file.sha256, file.file.size])).values()].reduce((a, b) => a + b, 0);
    let sent = 0;
    const progress = (bytes: number): void => {
      sent = Math.min(total, sent + bytes);
      this.say(t("Sending what is new"), total ? sent / total : 1, part(size(sent), size(total)));
    };
    progress(0);
    await upload(files, progress, this.aborting.signal);
  }

  /** SHA-256 of every file, in a worker so that the page stays free. */
  private hash(files: Found[]): Promise<Hashed[]> {
    const worker = new Worker(this.root.dataset["worker"] ?? "");
    const { signal } = this.aborting;
    return new Promise<Hashed[]>((resolve, reject) => {
      const hashed: Hashed[] = [];
      worker.addEventListener("message", (event: MessageEvent<{ at: number; sha256?: string; isProgram?: boolean; error?: string }>) => {
        const { at, sha256, isProgram, error } = event.data;
        const found = files[at]!;
        if (!sha256) return reject(new Error(t("{path} could not be read: {error}", { path: found.path, error: String(error) })));
        hashed.push({ ...found, sha256, isProgram: isProgram === true });
        this.say(t("Reading the files"), hashed.length / files.length, part(number.format(hashed.length), number.format(files.length)));
        if (hashed.length === files.length) resolve(hashed);
      });
      worker.addEventListener("error", () => reject(new Error(t("The files could not be read."))));
      signal.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
      worker.postMessage(files.map((found) => found.file));
    }).finally(() => worker.terminate());
  }

  private say(step: string, share: number | null, detail: string): void {
    this.part("step").textContent = step;
    this.part("detail").textContent = detail || "\u00a0";
    const bar = this.part<HTMLProgressElement>("progress");
    if (share === null) bar.removeAttribute("value");
    else bar.value = Math.min(1, share);
  }

  private show(what: { busy: boolean; error?: string }): void {
    this.part("idle").hidden = what.busy;
    this.part("busy").hidden = !what.busy;
    this.part("error").hidden = !what.error;
    this.part("message").textContent = what.error ?? "";
    if (what.busy) return;
    // So that choosing the same folder again is a change. Not before: the list of files is emptied too.
    this.part<HTMLInputElement>("folder").value = "";
    this.part<HTMLInputElement>("archive").value = "";
  }
}
