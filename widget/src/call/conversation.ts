/* One conversation in PlayAI's messages. Knows no page and no sound card. */

import type { FromServer, PageEvent, Setup, ToServer } from "./messages";
import { asSentence, FAULTS, GOODBYES, LOST, NO_ANSWER, REASONS } from "./sentences";

const ANSWER_WITHIN_MS = 15_000;
const CLOSES_WITHIN_MS = 1000; // after a goodbye; the close says why
const MAX_UNSENT_BYTES = 65_536; // about 1.5 s of microphone; sound that old is no use

/** Why a conversation is over; `sentence` is "" after a hang-up of this side. */
export interface Ending {
  sentence: string;
  by: "caller" | "agent" | "system" | "error";
  /** The server's code, if it was an error with one. */
  code?: number | undefined;
}

/** What a conversation tells; `stream` is the n-th reply, from 1. */
export interface Listener {
  opened(conversationId: string): void;
  voiceStarted(): void;
  voiceEnded(): void;
  callerSaid(text: string): void;
  callerSaysSoFar(text: string): void;
  replyBegan(stream: number): void;
  replySound(samples: Float32Array, stream: number): void;
  replyEnded(): void;
  replyHeld(): void;
  replyResumed(): void;
  agentSaid(text: string): void;
  agentInterrupted(heard: string): void;
  eventAsked(name: string, data: unknown): void;
  navigationAsked(pageDefinition: string): void;
  /** Something failed, the conversation goes on. */
  disturbed(sentence: string, code: number): void;
  /** Last and once. */
  ended(ending: Ending): void;
}

export class Conversation {
  readonly #socket: WebSocket;
  readonly #listener: Listener;
  #timer: ReturnType<typeof setTimeout>;
  #isOpen = false;
  #isOver = false;
  #streams = 0;
  #hushed = 0;
  #goodbye: Ending | null = null;

  constructor(url: string | URL, setup: Setup, listener: Listener) {
    this.#listener = listener;
    this.#timer = setTimeout(() => this.#fail(NO_ANSWER), ANSWER_WITHIN_MS);
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#send({ type: "setup", ...setup });
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data) as FromServer);
    this.#socket.onclose = ({ code, reason }) => this.#end(this.#whyClosed(code, reason));
  }

  /** 16-bit sound as the setup announced it; too much for the line is dropped. */
  sendSound(frame: ArrayBuffer): void {
    if (!this.#isOpen || this.#socket.bufferedAmount > MAX_UNSENT_BYTES) return;
    this.#send({ type: "audioIn", data: btoa(String.fromCharCode(...new Uint8Array(frame))) });
  }

  sendText(text: string): void {
    this.#send({ type: "textIn", data: text });
  }

  /** The page tells the agent something; it is not taken as speech. */
  sendNote(text: string): void {
    this.#send({ type: "customInput", data: text });
  }

  extend(events: PageEvent[]): void {
    this.#send({ type: "extendConversationSetup", events });
  }

  /** So many seconds of the n-th reply have been heard. */
  sendPlayed(stream: number, seconds: number): void {
    this.#send({ type: "played", stream, seconds: Math.round(seconds * 1000) / 1000 });
  }

  /** There is no loudspeaker: the reply counts as heard. */
  sendPlayedOut(): void {
    this.#send({ type: "bufferEmpty" });
  }

  hangUp(sentence = ""): void {
    this.#end({ sentence, by: "caller" });
  }

  #send(message: ToServer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Types that are not named here are none of a browser's business. */
  #receive(message: FromServer): void {
    if (this.#isOver) return;
    const listener = this.#listener;
    switch (message.type) {
      case "init":
        clearTimeout(this.#timer);
        this.#isOpen = true;
        return listener.opened(message.conversationId);
      case "voiceActivityStart":
        return listener.voiceStarted();
      case "voiceActivityEnd":
        return listener.voiceEnded();
      case "onUserTranscript":
        return listener.callerSaid(message.message);
      case "partialUserTranscript":
        return listener.callerSaysSoFar(message.message);
      case "newAudioStream":
        return listener.replyBegan((this.#streams += 1));
      case "audioStream":
        // Chunks bear no number: they belong to the last stream, and a hushed one is over even
        // if some of it was on its way.
        if (this.#streams > this.#hushed) listener.replySound(samplesOf(message.data), this.#streams);
        return;
      case "audioStreamEnd":
        if (this.#streams > this.#hushed) listener.replyEnded();
        return;
      case "audioStreamHeld":
        return listener.replyHeld();
      case "audioStreamResumed":
        return listener.replyResumed();
      case "onAgentTranscript":
        return listener.agentSaid(message.message);
      case "onAgentInterrupted":
        this.#hushed = this.#streams;
        return listener.agentInterrupted(message.updatedMessage ?? "");
      case "customEvent":
        return listener.eventAsked(message.name, message.data);
      case "navigate":
        return listener.navigationAsked(message.pageDefinition);
      case "error":
        return this.#fault(message.code, message.message, message.isFatal !== false);
      case "hangup":
        return this.#takeLeave(message.endedBy);
    }
  }

  #fault(code: number, message: string | undefined, isFatal: boolean): void {
    if (isFatal) this.#fail(FAULTS[code] ?? asSentence(message), code);
    else this.#listener.disturbed(asSentence(message), code);
  }

  #takeLeave(endedBy: string): void {
    const by = endedBy === "system" || endedBy === "error" ? endedBy : "agent";
    const goodbye: Ending = { sentence: GOODBYES[by] as string, by };
    this.#goodbye = goodbye;
    this.#timer = setTimeout(() => this.#end(goodbye), CLOSES_WITHIN_MS);
  }

  #whyClosed(code: number, reason: string): Ending {
    const goodbye = this.#goodbye ?? { sentence: GOODBYES.agent as string, by: "agent" as const };
    if (code === 1000) return { ...goodbye, sentence: REASONS[reason] ?? goodbye.sentence };
    if (this.#goodbye) return this.#goodbye;
    return { sentence: FAULTS[code] ?? (this.#isOpen ? LOST : NO_ANSWER), by: "error", code };
  }

  #fail(sentence: string, code?: number): void {
    this.#end({ sentence, by: "error", code });
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#socket.close(1000);
    this.#listener.ended(ending);
  }
}

/** `raw` sound: 32-bit floats, little-endian like every machine with a browser. */
function samplesOf(data: string): Float32Array {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer, 0, bytes.length >> 2);
}
