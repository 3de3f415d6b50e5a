/* What travels over the socket (docs/reference/websocket.md), as types. */

/** A value a page hands to the agent's prompt. */
export type Variable = string | number | boolean;

/** Something the page can do for the agent, and when it is asked to. */
export interface PageEvent {
  name: string;
  when: string;
  data?: Record<string, unknown>;
}

/** What of `setup` is the page's choice; the rest is how sound is sent. */
export interface Wishes {
  /** A key of the agent's owner, or a ticket: a short-lived stand-in for one. */
  apiKey?: string;
  /** Replaces the agent's greeting; "" for none. */
  customGreeting?: string;
  /** Appended to the agent's prompt. */
  prompt?: string;
  events?: PageEvent[];
  variables?: Record<string, Variable>;
  callerId?: string;
  /** Id of an earlier conversation to go on with. */
  continueConversation?: string;
}

export interface Setup extends Wishes {
  inputEncoding: "linear16";
  inputSampleRate: number;
  outputFormat: "raw";
  outputSampleRate: number;
  /** Tell more while it goes on: words so far, holds. An extension. */
  details: true;
}

export type FromServer =
  | { type: "init"; conversationId: string }
  | { type: "voiceActivityStart" }
  | { type: "voiceActivityEnd" }
  | { type: "onUserTranscript"; message: string }
  | { type: "partialUserTranscript"; message: string }
  | { type: "newAudioStream" }
  | { type: "audioStream"; data: string }
  | { type: "audioStreamEnd" }
  | { type: "audioStreamHeld" }
  | { type: "audioStreamResumed" }
  | { type: "onAgentTranscript"; message: string }
  | { type: "onAgentInterrupted"; updatedMessage?: string }
  | { type: "customEvent"; name: string; data: unknown }
  | { type: "navigate"; pageDefinition: string }
  | { type: "error"; code: number; message?: string; isFatal?: boolean }
  | { type: "hangup"; endedBy: string };

export type ToServer =
  | ({ type: "setup" } & Setup)
  | { type: "audioIn"; data: string }
  | { type: "textIn"; data: string }
  | { type: "customInput"; data: string }
  | { type: "extendConversationSetup"; events: PageEvent[] }
  | { type: "played"; stream: number; seconds: number }
  | { type: "bufferEmpty" };
