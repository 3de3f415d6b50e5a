/* What the official web embed and the page in its frame tell each other.
 *
 * frame → page: `init`, within 20 s or the frame is removed; `resize`, `navigate`, `customEvent`.
 * page → frame: `extendConversationSetup`, right after `init`; `setOrToggleMinimized`.
 */

import type { PageEvent } from "../call";

export interface ConfigParams {
  buttonText: string;
  helpText: string;
  screenPosition: "left" | "center" | "right";
  screenBottomSpacing: number;
  screenSideSpacing: number;
}

export type ToPage =
  | { type: "init"; configParams: ConfigParams }
  | { type: "resize"; width: number; height: number }
  | { type: "navigate"; pageDefinition: string }
  | { type: "customEvent"; name: string; data: unknown };

export type FromPage =
  | { type: "extendConversationSetup"; events: PageEvent[] }
  | { type: "setOrToggleMinimized"; minimize?: boolean };

/** What the embed puts into the frame's address. */
export interface Asked {
  /** Who may be told anything; "" if the address does not say. */
  origin: string;
  maxWidthPx: number;
  maxHeightPx: number;
  customGreeting?: string;
  prompt?: string;
  events?: PageEvent[];
}

/** Reads the address; `origin` and `events` are encoded twice by the clients in the field. */
export function readAddress(search: string): Asked {
  const given = new URLSearchParams(search);
  const events = unwrap(given.get("events"));
  return {
    origin: originOf(unwrap(given.get("origin"))),
    maxWidthPx: pixels(given.get("maxWidth")),
    maxHeightPx: pixels(given.get("maxHeight")),
    customGreeting: given.get("customGreeting") ?? undefined,
    prompt: given.get("prompt") ?? undefined,
    events: events ? (JSON.parse(events) as PageEvent[]) : undefined,
  };
}

function unwrap(value: string | null): string {
  return value ? decodeURIComponent(value) : "";
}

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : "";
}

function pixels(value: string | null): number {
  const px = parseFloat(value ?? "");
  return px > 0 ? px : Infinity;
}

/** Whether a message of the page around us is one we know. */
export function isFromPage(data: unknown): data is FromPage {
  const type = (data as { type?: unknown } | null)?.type;
  return type === "extendConversationSetup" || type === "setOrToggleMinimized";
}
