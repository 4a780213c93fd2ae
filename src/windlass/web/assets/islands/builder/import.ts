// What there is already becomes a form: manifests, or a compose file with a report of each line.
import { ApiError, icon, make, one } from "../dom.ts";
import { t } from "../words.ts";
import { ask, type Data, type Note } from "./model.ts";

const LOOKS = { exact: ["ok", "circle-check"], adapted: ["warned", "triangle-alert"], impossible: ["bad", "circle-x"] } as const;

export class Import {
  private readonly text: HTMLTextAreaElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly take: (form: Data, isWhole: boolean) => void,
  ) {
    this.text = one<HTMLTextAreaElement>("#import-text", root);
    one<HTMLInputElement>("#import-file", root).addEventListener("change", (event) => void this.onFile(event.target as HTMLInputElement));
    one("[data-import-go]", root).addEventListener("click", () => void this.go());
  }

  private async onFile(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (!file) return;
    this.text.value = await file.text();
    if (/compose/i.test(file.name) || /^services:/m.test(this.text.value)) one<HTMLInputElement>('[name="import-kind"][value="compose"]', this.root).checked = true;
  }

  private async go(): Promise<void> {
    const isCompose = one<HTMLInputElement>('[name="import-kind"]:checked', this.root).value === "compose";
    this.wrong("");
    try {
      if (isCompose) {
        const made = await ask<{ form: Data; notes: Note[] }>("compose", { compose: this.text.value });
        this.report(made.notes);
        this.take(made.form, false);
      } else {
        const made = await ask<{ form: Data }>("form", { yaml: this.text.value });
        this.take(made.form, true);
      }
    } catch (error) {
      const fields = error instanceof ApiError ? ((error.details["fields"] ?? []) as { message: string }[]) : [];
      this.wrong(fields.map((field) => field.message).join(" ") || (error instanceof Error ? error.message : String(error)));
    }
  }

  private wrong(message: string): void {
    const box = one("#import-error", this.root);
    box.textContent = message;
    box.hidden = !message;
    if (message) this.text.setAttribute("aria-invalid", "true");
    else this.text.removeAttribute("aria-invalid");
    if (message) one("[data-import-report]", this.root).hidden = true;
  }

  private report(notes: Note[]): void {
    const words = { exact: t("exact"), adapted: t("adapted"), impossible: t("impossible") };
    const rows = notes.map((note) => {
      const [look, symbol] = LOOKS[note.verdict];
      return make(
        "li",
        {},
        make("span", { class: `status ${look}` }, icon(symbol), words[note.verdict]),
        make("span", { class: "grow" }, make("span", { class: "mono" }, note.path), make("span", { class: "sub", lang: "en" }, [note.message, note.hint].filter((part) => part).join(". "))),
        make("span", { class: "muted" }, t("line {n}", { n: String(note.line) })),
      );
    });
    const box = one("[data-import-report]", this.root);
    box.hidden = false;
    one("ul", box).replaceChildren(...rows);
  }
}
