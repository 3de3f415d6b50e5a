/* A call: the conversation on one side, the microphone and the loudspeaker on the other. */

import { Conversation, type Ending, type Listener } from "./conversation";
import { Latency } from "./latency";
import type { PageEvent, Wishes } from "./messages";
import { type Device, listDevices, Microphone } from "./microphone";
import { isPage } from "./pages";
import { ELSEWHERE, SILENT, TYPE_INSTEAD } from "./sentences";
import { MICROPHONE_HZ, openSound, SoundError, SPEAKER_HZ } from "./sound";
import { Speaker } from "./speaker";
import { type Line, Transcript } from "./transcript";

const HEARING_FADES_MS = 2500; // the server does not always tell when a noise came to nothing
const AUDIBLE = 0.35;
const WATCH_EVERY_MS = 250;
const MOST_UNSENT = 20; // lines typed before the server answered

/** `idle` before `start`, `ended` for good after the end. */
export type State =
  | "idle" | "connecting" | "listening" | "hearing" | "thinking" | "speaking" | "ended";

export interface CallOptions extends Wishes {
  /** Base URL of the Sayso server. */
  server: string | URL;
  agentId: string;
  /** Fetches a ticket (or key) as the call starts; wins over `apiKey`. Null for none. */
  getTicket?: () => Promise<string | null> | string | null;
  /** Where `worklet.ts` is, built; the server has it. */
  workletUrl?: string | URL;
}

export interface Start {
  /** Ask for a microphone; without one, the caller types. */
  microphone?: boolean;
  /** Hear the agent; without, its answers are read. */
  sound?: boolean;
  /** Which microphone; the browser's usual one if not given. */
  deviceId?: string;
  /** Which loudspeaker; the usual one if not given, or if it is not there any more. */
  speakerId?: string;
}

/** What a call tells. Everything can be left out, and read off the call later. */
export interface CallView {
  state?(state: State): void;
  /** A new list whenever a line comes, changes or goes. */
  transcript?(lines: readonly Line[]): void;
  /** Something to know; the call goes on. "" when it is over and done with. */
  notice?(sentence: string): void;
  /** Muted, held, or on another microphone or loudspeaker, or the list of them changed. */
  microphone?(): void;
  /** Seconds from the end of the caller's turn to the first sound of the answer. */
  latency?(seconds: number): void;
  /** The agent asks the page to do something it declared in `events`. */
  customEvent?(name: string, data: unknown): void;
  navigate?(url: string): void;
  /** The caller is in. */
  connected?(conversationId: string): void;
  /** Last and once. */
  ended?(ending: Ending): void;
}

/** One call at a time on a page, whichever copy of this file it is in: two would hear each other. */
const CURRENT = Symbol.for("sayso.call");
const page = globalThis as { [CURRENT]?: Call };

export class Call {
  state: State = "idle";
  conversationId = "";
  /** Seconds, of the last turn; null before the first. */
  latencyS: number | null = null;
  microphones: Device[] = [];
  /** Those that can be chosen; none where the browser has no choice. */
  speakers: Device[] = [];
  isMuted = false;
  isHeld = false;
  readonly #options: CallOptions;
  readonly #view: CallView;
  readonly #transcript = new Transcript();
  readonly #latency = new Latency();
  #context: AudioContext | null = null;
  #speaker: Speaker | null = null;
  #microphone: Microphone | null = null;
  #conversation: Conversation | null = null;
  #isIn = false;
  #isOver = false;
  #unsent: string[] = [];
  #audibleAtMs = 0;
  #watching: ReturnType<typeof setInterval> | undefined;

  constructor(options: CallOptions, view: CallView = {}) {
    this.#options = options;
    this.#view = view;
  }

  // What the page does ------------------------------------------------------------------------

  /**
   * Starts the call; from a click, because of the sound. Without a microphone, one can type.
   *
   * Sound comes first, so that nobody misses the greeting while they answer the browser. What goes
   * wrong is told by `notice` and `ended`; nothing is thrown.
   */
  async start({ microphone = true, sound = true, deviceId, speakerId }: Start = {}): Promise<void> {
    page[CURRENT]?.hangUp(ELSEWHERE);
    page[CURRENT] = this;
    this.#show("connecting");
    try {
      const { getTicket, apiKey } = this.#options;
      const ticket = getTicket ? Promise.resolve(getTicket()) : null;
      ticket?.catch(() => {}); // it is waited for below
      if (sound || microphone) await this.#openSound(microphone, deviceId, speakerId);
      const key = (await ticket) ?? apiKey;
      if (this.#isOver) this.#closeSound();
      else this.#converse(key);
    } catch (error) {
      this.#end({ sentence: `The call could not start: ${(error as Error).message}`, by: "error" });
    }
  }

  /** The caller types. Before they are in, it waits until they are; false if too much does. */
  say(text: string): boolean {
    if (this.#isOver || this.#unsent.length === MOST_UNSENT) return false;
    this.#said(() => this.#transcript.callerTyped(text));
    if (this.#isIn) this.#sendText(text);
    else this.#unsent.push(text);
    return true;
  }

  #sendText(text: string): void {
    this.#latency.turnEnded(this.#nowS);
    this.#conversation?.sendText(text);
  }

  /** The page tells the agent something, such as what came of a `customEvent`. */
  tell(text: string): void {
    this.#conversation?.sendNote(text);
  }

  /** More that the page can do. */
  extend(events: PageEvent[]): void {
    this.#conversation?.extend(events);
  }

  mute(muted: boolean): void {
    this.isMuted = muted;
    this.#microphone?.mute(muted || this.isHeld);
    this.#view.microphone?.();
  }

  /** The caller is away for a moment: nothing is sent, and the agent is silent where it was. */
  hold(held: boolean): void {
    this.isHeld = held;
    this.#microphone?.mute(held || this.isMuted);
    this.#speaker?.hold(held);
    this.#view.microphone?.();
  }

  /** Goes on with another microphone; the one in use stays if that fails. */
  async useMicrophone(deviceId?: string): Promise<void> {
    if (!this.#context || this.#isOver) return;
    try {
      await this.#openMicrophone(deviceId);
      this.#notify("");
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Goes on with another loudspeaker; "" is the usual one. */
  async useSpeaker(speakerId: string): Promise<void> {
    try {
      await this.#speaker?.loudspeaker.choose(speakerId);
      this.#notify("");
    } catch (error) {
      this.#notify(`This loudspeaker does not work: ${(error as Error).message}`);
    }
    this.#view.microphone?.();
  }

  hangUp(sentence = ""): void {
    if (this.#conversation) this.#conversation.hangUp(sentence);
    else this.#end({ sentence, by: "caller" });
  }

  get lines(): readonly Line[] {
    return this.#transcript.lines;
  }

  get hasMicrophone(): boolean {
    return this.#microphone !== null;
  }

  /** Id of the microphone in use; "" without one. */
  get deviceId(): string {
    return this.#microphone?.deviceId ?? "";
  }

  /** Id of the chosen loudspeaker; "" for the usual one. */
  get speakerId(): string {
    return this.#speaker?.loudspeaker.deviceId ?? "";
  }

  /** How the agent's voice goes to the loudspeaker; see `loudspeaker.ts`. */
  get soundWay(): string {
    return this.#speaker?.loudspeaker.way ?? "none";
  }

  /** How loud each side is, 0 to 1. */
  get levels(): { caller: number; agent: number } {
    return {
      caller: this.#microphone?.meter.level ?? 0,
      agent: this.#speaker?.meter.level ?? 0,
    };
  }

  // Sound -------------------------------------------------------------------------------------

  async #openSound(withMicrophone: boolean, deviceId?: string, speakerId?: string): Promise<void> {
    const { workletUrl, server } = this.#options;
    try {
      const context = await openSound(workletUrl ?? new URL("widget/sound.js", server));
      this.#context = context;
      if (this.#isOver) return;
      this.#speaker = new Speaker(context, {
        onplaying: (atS) => this.#replySounds(atS),
        onplayed: (stream, seconds) => this.#conversation?.sendPlayed(stream, seconds),
        ondry: () => this.#fallSilent(),
      });
      if (speakerId) await this.#speaker.loudspeaker.choose(speakerId).catch(() => {}); // it is gone
      if (withMicrophone) await this.#openMicrophone(deviceId);
    } catch (error) {
      this.#complain(error);
    }
  }

  async #openMicrophone(deviceId?: string): Promise<void> {
    const context = this.#context!;
    const fresh = await Microphone.open(
      context,
      {
        onframe: (frame) => this.#conversation?.sendSound(frame),
        onlost: (label) => void this.#replaceMicrophone(label),
        ontrouble: (sentence) => this.#notify(sentence),
      },
      deviceId,
    );
    if (!fresh || this.#isOver) return fresh?.close();
    this.#microphone?.close();
    this.#microphone = fresh;
    fresh.mute(this.isMuted || this.isHeld);
    navigator.mediaDevices.ondevicechange = () => void this.#lookForDevices();
    await Promise.all([this.#speaker?.loudspeaker.avoidEcho(), this.#lookForDevices()]);
  }

  /** Browsers name them, and tell of loudspeakers at all, once a microphone was allowed. */
  async #lookForDevices(): Promise<void> {
    this.microphones = await listDevices("audioinput");
    this.speakers = this.#speaker?.loudspeaker.isChoosable ? await listDevices("audiooutput") : [];
    // A browser is silent on one that is gone.
    if (this.speakerId && !this.speakers.some(({ id }) => id === this.speakerId)) await this.useSpeaker("");
    this.#view.microphone?.();
  }

  /** Another one takes its place, if there is one. */
  async #replaceMicrophone(label: string): Promise<void> {
    this.#microphone?.close();
    this.#microphone = null;
    try {
      await this.#openMicrophone();
      this.#notify(`${label} went away; another microphone took its place.`);
    } catch {
      this.#notify(`The microphone went away. ${TYPE_INSTEAD}`);
    }
    this.#view.microphone?.();
    this.#show(this.state);
  }

  #complain(error: unknown): void {
    if (!(error instanceof SoundError)) throw error;
    this.#notify(`${error.message} ${TYPE_INSTEAD}`);
  }

  #closeSound(): void {
    clearInterval(this.#watching);
    if (this.#microphone) navigator.mediaDevices.ondevicechange = null;
    this.#microphone?.close();
    this.#speaker?.close();
    void this.#context?.close();
    this.#microphone = this.#speaker = this.#context = null;
  }

  get #nowS(): number {
    return this.#context?.currentTime ?? performance.now() / 1000;
  }

  #replySounds(atS: number): void {
    this.#show("speaking");
    const waitedS = this.#latency.answered(atS);
    if (waitedS === null) return;
    this.latencyS = waitedS;
    this.#view.latency?.(waitedS);
  }

  #fallSilent(): void {
    if (this.state === "speaking") this.#show("listening");
  }

  /** A noise that came to nothing is not always told: it fades. */
  #watch(): void {
    const nowMs = performance.now();
    if (this.levels.caller > AUDIBLE) this.#audibleAtMs = nowMs;
    if (this.state === "hearing" && nowMs - this.#audibleAtMs > HEARING_FADES_MS) {
      this.#said(() => this.#transcript.callerSaysSoFar(""));
      this.#show("listening");
    }
  }

  // What the conversation tells ---------------------------------------------------------------

  #converse(key: string | undefined): void {
    const { server, agentId, getTicket: _, workletUrl: __, ...wishes } = this.#options;
    const url = new URL(`v1/agents/${encodeURIComponent(agentId)}/start-conversation`, server);
    url.protocol = url.protocol.replace("http", "ws");
    const setup = {
      ...wishes,
      ...(key && { apiKey: key }),
      inputEncoding: "linear16" as const,
      inputSampleRate: MICROPHONE_HZ,
      outputFormat: "raw" as const,
      outputSampleRate: SPEAKER_HZ,
      details: true as const,
    };
    this.#conversation = new Conversation(url, setup, this.#listener());
    this.#watching = setInterval(() => this.#watch(), WATCH_EVERY_MS);
  }

  #listener(): Listener {
    return {
      opened: (conversationId) => {
        this.conversationId = conversationId;
        this.#isIn = true;
        for (const text of this.#unsent.splice(0)) this.#sendText(text);
        this.#view.connected?.(conversationId);
        this.#show("listening");
      },
      voiceStarted: () => {
        this.#latency.turnGoesOn();
        this.#show("hearing");
      },
      voiceEnded: () => {
        const loudS = this.#microphone?.loudness.lastLoudS;
        // The time of a typed line was noted when it was sent.
        if (!this.#latency.isWaiting && loudS != null) this.#latency.turnEnded(loudS);
        this.#show("thinking");
      },
      callerSaid: (text) => this.#said(() => this.#transcript.callerSaid(text)),
      callerSaysSoFar: (text) => this.#said(() => this.#transcript.callerSaysSoFar(text)),
      replyBegan: (stream) => {
        this.#transcript.replyBegan();
        if (this.#speaker) this.#speaker.begin(stream);
        else this.#show("speaking");
        if (this.isHeld) this.#speaker?.hold(true);
      },
      replySound: (samples, stream) => this.#speaker?.play(samples, stream),
      replyEnded: () => {
        if (this.#speaker) return this.#speaker.end();
        this.#conversation?.sendPlayedOut();
        this.#fallSilent();
      },
      replyHeld: () => {
        this.#speaker?.hold(true);
        this.#show("hearing");
      },
      replyResumed: () => {
        if (!this.isHeld) this.#speaker?.hold(false);
        this.#said(() => this.#transcript.callerSaysSoFar("")); // it was no interruption
        this.#show("speaking");
      },
      agentSaid: (text) => this.#said(() => this.#transcript.agentSaid(text)),
      agentInterrupted: (heard) => {
        this.#speaker?.begin();
        this.#said(() => this.#transcript.agentInterrupted(heard));
      },
      eventAsked: (name, data) => this.#view.customEvent?.(name, data),
      navigationAsked: (definition) => this.#navigate(definition),
      disturbed: (sentence, code) => {
        if (code !== SILENT || this.hasMicrophone) this.#notify(sentence);
      },
      ended: (ending) => this.#end(ending),
    };
  }

  #navigate(definition: string): void {
    const { url } = JSON.parse(definition) as { url?: string };
    if (url && isPage(url, location.href)) this.#view.navigate?.(url);
  }

  #said(change: () => void): void {
    const before = this.#transcript.lines;
    change();
    if (this.#transcript.lines !== before) this.#view.transcript?.(this.#transcript.lines);
  }

  #show(state: State): void {
    if (this.#isOver) return;
    this.state = state;
    if (state === "hearing") this.#audibleAtMs = performance.now();
    if (state === "thinking") this.#notify(""); // it was about the turn before
    this.#view.state?.(state);
  }

  #notify(sentence: string): void {
    if (!this.#isOver) this.#view.notice?.(sentence);
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#closeSound();
    this.#said(() => this.#transcript.callerSaysSoFar(""));
    this.#show("ended");
    this.#isOver = true;
    if (page[CURRENT] === this) delete page[CURRENT];
    this.#view.ended?.(ending);
  }
}
