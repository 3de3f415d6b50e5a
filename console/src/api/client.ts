/* Asks the server. Every path, body and answer is typed by the server's own OpenAPI document. */

import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What the server refused, in its own sentences. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint = "",
    readonly field = "",
    readonly id = "",
    readonly body: unknown = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

const UNREACHABLE = "The server does not answer. Check that it runs, and that you are connected.";

/** Proves to the server that a page of its own asks, not a stranger's with our cookie. */
export const OWN_PAGE = { "X-Sayso-Console": "1" };

const throwRefusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await readRefusal(response);
    return undefined;
  },
  onError() {
    return new ApiError(0, UNREACHABLE);
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, headers: OWN_PAGE });
api.use(throwRefusals);

/** What openapi-fetch gives after `throwRefusals`: data, always. */
export async function take<Data>(asked: Promise<{ data?: Data }>): Promise<Data> {
  return (await asked).data as Data;
}

/** A request that openapi-fetch cannot make: a form, a stream, a sound. Throws ApiError. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...OWN_PAGE, ...init.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, UNREACHABLE);
  }
  if (!response.ok) throw await readRefusal(response);
  return response;
}

/** `send` with a JSON body. */
export function sendJson(path: string, method: "POST" | "PUT" | "PATCH", body: unknown): Promise<Response> {
  return send(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

async function readRefusal(response: Response): Promise<ApiError> {
  return readError(await response.json().catch(() => ({})), response.status);
}

/** What stands at `path`. */
export async function getJson<Got>(path: string): Promise<Got> {
  return await (await send(path)).json() as Got;
}

/** What is answered to a JSON body. */
export async function askJson<Got>(path: string, method: "POST" | "PUT" | "PATCH", body: unknown): Promise<Got> {
  return await (await sendJson(path, method, body)).json() as Got;
}

/** An error body of the server's. */
export function readError(body: unknown, status = 0): ApiError {
  const said = (body ?? {}) as Record<string, unknown>;
  const text = (key: string) => (typeof said[key] === "string" ? said[key] : "");
  const message = text("message") || text("errorMessage") || `The server answered ${status}.`;
  return new ApiError(status, asSentence(message), text("hint"), text("field"), text("errorId"), said);
}

/** Errors begin in lower case on the wire; people read sentences. Names keep the case they are sent in. */
export function asSentence(text: string): string {
  const begun = text.replace(/^\p{Ll}(?!\S*(?:[._]\S|\p{Lu}))/u, (letter) => letter.toUpperCase());
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** A message with `label` for the name of its field, where it begins with that. */
export function callField(message: string, field: string, label: string): string {
  const isNamed = message.toLowerCase().startsWith(`${field.toLowerCase()} `);
  return isNamed ? `${label}${message.slice(field.length)}` : message;
}
