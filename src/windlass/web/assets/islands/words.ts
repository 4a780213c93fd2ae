// What islands say, in the language of the page. The page brings the translations along; English needs none.

/** A message with its facts: `t("{name} is ready.", { name })`. */
export function t(message: string, facts: Record<string, string> = {}): string {
  return filled(translations()[message]?.[0] ?? message, facts);
}

/** The form of a message for so many of them; `{n}` is the count as people write it. */
export function tn(one: string, many: string, count: number, facts: Record<string, string> = {}): string {
  const forms = translations()[one] ?? [one, many];
  // None of our languages has more forms than two.
  const form = count === 1 ? forms[0] : forms[forms.length - 1];
  return filled(form ?? many, { n: number.format(count), ...facts });
}

export const number = new Intl.NumberFormat("en-GB");

let known: Record<string, string[]> | undefined;

function translations(): Record<string, string[]> {
  known ??= JSON.parse(document.getElementById("words")?.textContent ?? "{}") as Record<string, string[]>;
  return known;
}

function filled(message: string, facts: Record<string, string>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole);
}
