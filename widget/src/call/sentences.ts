/* What went wrong, and how it ended, in sentences a person can act on. */

const PRIVATE = "This agent is private: only its owner can talk to it.";

/** By the server's code (docs/reference/websocket.md). */
export const FAULTS: Readonly<Record<number, string>> = {
  1001: PRIVATE,
  1002: "There is no agent at this address. Check the link you were given.",
  1003: PRIVATE,
  4400: "The server did not understand this page. Reload it and start again.",
  4401: PRIVATE,
  4403: "This agent may not be talked to from this website.",
  4429: "Everybody is talking right now. Start again in a moment.",
  4500: "Something went wrong on the server. Start again; if it happens twice, tell its operator.",
};

/** Codes that a ticket or the owner's key would help against. */
export const NEEDS_KEY: ReadonlySet<number> = new Set([1001, 1003, 4401]);

/** Nothing but silence comes from the microphone: the server's word for it. */
export const SILENT = 4408;

export const NO_ANSWER = "The server does not answer. Check your connection and start again.";
export const LOST = "The connection was lost. Start again to go on talking.";
export const ELSEWHERE = "Another conversation was started on this page.";
export const TYPE_INSTEAD = "You can still type.";

export const GOODBYES: Readonly<Record<string, string>> = {
  agent: "The agent hung up.",
  system: "The server ended the conversation.",
  error: "The conversation broke off. Start again to go on talking.",
};

export const REASONS: Readonly<Record<string, string>> = {
  silence: "Nobody spoke for a while, so the agent hung up.",
  time_up: "The call has taken as long as it may, so the agent hung up.",
  agent_done: "The agent said goodbye and hung up.",
  transferred: "The agent handed you on to somebody else.",
  server_stopped: "The server was stopped. Start again in a moment.",
};

/** By the name of what `getUserMedia` throws. Firefox and Safari use the same names. */
export const REFUSALS: Readonly<Record<string, string>> = {
  NotAllowedError:
    "The microphone was refused. Allow it beside the page's address and start again.",
  SecurityError: "This page may not use a microphone. Its website has to allow it.",
  NotFoundError: "No microphone was found. Plug one in and start again.",
  OverconstrainedError: "That microphone is not there any more. Choose another one.",
  NotReadableError: "The microphone is busy in another program. Close that and start again.",
  AbortError: "The microphone did not start. Unplug it, plug it in and start again.",
};

export const INSECURE =
  "The browser allows sound on secure pages only. Open this page over https, or on localhost.";
export const FRAMED =
  "This frame may not use a microphone. Its website has to add allow=\"microphone\" to it.";
export const MUTED_OUTSIDE =
  "The microphone is muted on the device itself or by the system. Unmute it there.";
export const NO_SOUND =
  "Only silence comes from this microphone. Is it muted on the device, or the wrong one?";

/** The server's words as a sentence of their own. */
export function asSentence(text: string | undefined): string {
  const begun = (text || "Something went wrong.").replace(/^\p{Ll}/u, (letter) =>
    letter.toUpperCase(),
  );
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
