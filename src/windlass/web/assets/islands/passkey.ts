// Passkeys need the browser's own dialog: a form with `data-passkey` asks it before it is sent.
import { all, api, one } from "./dom.ts";

interface Described {
  id: string;
  type: PublicKeyCredentialType;
  transports?: AuthenticatorTransport[];
}
interface ToUse {
  challenge: string;
  rpId: string;
  timeout: number;
  allowCredentials: Described[];
  userVerification: UserVerificationRequirement;
}
interface ToMake {
  challenge: string;
  rp: PublicKeyCredentialRpEntity;
  user: { id: string; name: string; displayName: string };
  pubKeyCredParams: PublicKeyCredentialParameters[];
  timeout: number;
  excludeCredentials: Described[];
  authenticatorSelection: AuthenticatorSelectionCriteria;
}

export function mount(): void {
  const isKnown = "PublicKeyCredential" in window;
  for (const note of all("[data-passkey-missing]")) note.hidden = isKnown;
  for (const form of all<HTMLFormElement>("form[data-passkey]:not([data-mounted])")) {
    form.dataset["mounted"] = "";
    form.hidden = !isKnown;
    // Until here a click would have sent the form without asking the browser.
    one<HTMLButtonElement>("button:not([type])", form).disabled = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void ask(form);
    });
  }
}

async function ask(form: HTMLFormElement): Promise<void> {
  const button = one<HTMLButtonElement>("button:not([type])", form);
  if (button.getAttribute("aria-busy") === "true" || !form.reportValidity()) return;
  button.setAttribute("aria-busy", "true");
  say(form, "");
  try {
    const credential = form.dataset["passkey"] === "create" ? await make(form) : await use(form);
    one<HTMLInputElement>('[name="credential"]', form).value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    button.removeAttribute("aria-busy");
    // Who closes the dialog, and who waits too long, gets the same error, which says nothing.
    const isClosed = error instanceof DOMException && error.name === "NotAllowedError";
    say(form, isClosed || !(error instanceof Error) ? (form.dataset["cancelled"] ?? "") : error.message);
  }
}

function say(form: HTMLFormElement, text: string): void {
  const place = one("[data-passkey-error]", form);
  place.textContent = text;
  place.hidden = text === "";
}

async function options<T>(form: HTMLFormElement): Promise<T> {
  const { options: given, optionsFrom: path } = form.dataset;
  if (given) return JSON.parse(given) as T;
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const body = form.dataset["passkey"] === "create" ? "{}" : null;
  return (await api<T>(path ?? "", { method: "POST", headers, body })).data;
}

async function use(form: HTMLFormElement): Promise<unknown> {
  const asked = await options<ToUse>(form);
  const publicKey = {
    challenge: bytes(asked.challenge),
    rpId: asked.rpId,
    timeout: asked.timeout,
    allowCredentials: asked.allowCredentials.map(described),
    userVerification: asked.userVerification,
  };
  const found = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = found.response as AuthenticatorAssertionResponse;
  return {
    id: found.id,
    rawId: text(found.rawId),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  };
}

async function make(form: HTMLFormElement): Promise<unknown> {
  const asked = await options<ToMake>(form);
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: asked.excludeCredentials.map(described),
  };
  const found = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = found.response as AuthenticatorAttestationResponse;
  return {
    id: found.id,
    rawId: text(found.rawId),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

function described(known: Described): PublicKeyCredentialDescriptor {
  return { ...known, id: bytes(known.id) };
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const plain = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
