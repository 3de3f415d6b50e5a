/* Where the agent's voice comes out, so that the microphone's echo canceller knows of it.
 *
 * A canceller subtracts what the browser itself plays, but not every browser counts Web Audio as
 * that, and an agent that hears itself interrupts itself:
 *
 * - Chromium cancels what plays through a peer connection and an <audio> element, and ignores what
 *   Web Audio plays (Chromium 687574; twilio/twilio-video.js#323, deepgram-devs/deepgram-ai-agent-demo#5).
 * - Safari on iOS does likewise (omnigentx/jarvis#73), and with Web Audio alone it may send the voice
 *   to the ear piece while a microphone is open.
 * - Firefox cancels all that its audio graph plays, which Web Audio is part of: nothing to cure.
 *
 * The cure needs no server: a peer connection from this page to itself, whose far end is an <audio>
 * element (azlen/cozyroom#4). It is used only beside an open microphone, since it costs 40 to 60 ms
 * (measured in Chromium); where it does not come about, sound goes the direct way.
 */

const CONNECTS_WITHIN_MS = 1500;
const VOICE_BITS_PER_S = 96_000; // Opus at its usual 32 kbit/s makes a clean voice dull
const DELAY_EVERY_MS = 1000;

/** What has a choice of where it sounds; the types of the DOM do not know it of contexts yet. */
interface Sink {
  setSinkId?(deviceId: string): Promise<void>;
}

export class Loudspeaker {
  /** Connect what is to be heard to this. */
  readonly input: GainNode;
  readonly #context: AudioContext;
  #loop: Loop | null = null;
  /** The chosen device; "" is the usual one. */
  deviceId = "";

  constructor(context: AudioContext) {
    this.#context = context;
    this.input = new GainNode(context);
    this.input.connect(context.destination);
  }

  /** The way sound goes now. */
  get way(): "direct" | "loopback" {
    return this.#loop ? "loopback" : "direct";
  }

  /** Whether this browser lets a page choose: Chromium does, of the others none for both ways. */
  get isChoosable(): boolean {
    return this.#sinks.every((sink) => sink.setSinkId);
  }

  /** Sounds on another device; throws what the browser says against it, and stays where it was. */
  async choose(deviceId: string): Promise<void> {
    for (const sink of this.#sinks) await sink.setSinkId?.(deviceId);
    this.deviceId = deviceId;
  }

  get #sinks(): Sink[] {
    const context = this.#context as AudioContext & Sink;
    return this.#loop ? [context, this.#loop.sink] : [context];
  }

  /**
   * Seconds from the audio graph to the ear, as far as the browser knows.
   *
   * Firefox is never asked: while the answer is fetched from the sound server, the audio thread
   * cannot go on, and where the server waits for that thread just then, all three wait for ever and
   * the page is frozen (Firefox 153 with PulseAudio: most calls, within their first second). So its
   * sound counts as heard some tens of milliseconds early.
   */
  get delayS(): number {
    const outS = isFirefox() ? 0 : this.#context.outputLatency || 0;
    return outS + (this.#loop?.delayS ?? 0);
  }

  /** A microphone is about to open. Resolves when sound takes the way it can be cancelled on. */
  async avoidEcho(): Promise<void> {
    if (this.#loop || isFirefox() || !("RTCPeerConnection" in globalThis)) return;
    const loop = new Loop(this.#context, () => this.#goDirect());
    try {
      await within(loop.open(), CONNECTS_WITHIN_MS);
    } catch {
      loop.close(); // an echo is a nuisance, no sound at all would be a failure
      return;
    }
    if (this.#context.state === "closed") return loop.close();
    if (this.deviceId) await loop.sink.setSinkId?.(this.deviceId).catch(() => {});
    this.input.disconnect();
    this.input.connect(loop.input);
    this.#loop = loop;
  }

  close(): void {
    this.#loop?.close();
    this.#loop = null;
  }

  #goDirect(): void {
    if (!this.#loop) return;
    this.close();
    this.input.disconnect();
    this.input.connect(this.#context.destination);
  }
}

/** It cancels what Web Audio plays by itself, and must not be asked for its delay. */
function isFirefox(): boolean {
  return navigator.userAgent.includes("Firefox/");
}

/** A peer connection of this page to itself. */
class Loop {
  readonly input: MediaStreamAudioDestinationNode;
  delayS = 0;
  readonly #near = new RTCPeerConnection();
  readonly #far = new RTCPeerConnection();
  readonly #audio = new Audio();
  #asking: ReturnType<typeof setInterval> | undefined;
  #totalS = 0;
  #counted = 0;

  /** What it sounds from. */
  get sink(): Sink {
    return this.#audio;
  }

  constructor(context: AudioContext, onlost: () => void) {
    this.input = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    this.#far.onconnectionstatechange = () => {
      if (this.#far.connectionState === "failed") onlost();
    };
  }

  async open(): Promise<void> {
    const near = this.#near;
    const far = this.#far;
    near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined);
    far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined);
    const heard = new Promise<RTCTrackEvent>((resolve) => (far.ontrack = resolve));
    for (const track of this.input.stream.getTracks()) near.addTrack(track, this.input.stream);
    await near.setLocalDescription(await near.createOffer());
    await far.setRemoteDescription(near.localDescription!);
    const answer = await far.createAnswer();
    await far.setLocalDescription(answer);
    await near.setRemoteDescription({ type: "answer", sdp: clearer(answer.sdp ?? "") });
    const { receiver, track } = await heard;
    // The way is a few metres of memory: nothing has to be gathered against a jitter.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    this.#audio.srcObject = new MediaStream([track]);
    await Promise.all([this.#connected(), this.#audio.play()]);
    if (this.#far.signalingState !== "closed")
      this.#asking = setInterval(() => void this.#measure(receiver), DELAY_EVERY_MS);
  }

  close(): void {
    clearInterval(this.#asking);
    this.#audio.pause();
    this.#audio.srcObject = null;
    this.#near.close();
    this.#far.close();
  }

  /** Resolves with the connection, or never: whoever waits gives up in time. */
  #connected(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => this.#far.iceConnectionState.match(/connected|completed/) && resolve();
      this.#far.addEventListener("iceconnectionstatechange", look);
      look();
    });
  }

  async #measure(receiver: RTCRtpReceiver): Promise<void> {
    for (const stat of (await receiver.getStats()).values()) {
      const { jitterBufferDelay: totalS = 0, jitterBufferEmittedCount: count = 0 } =
        stat as RTCInboundRtpStreamStats;
      if (count <= this.#counted) continue;
      this.delayS = (totalS - this.#totalS) / (count - this.#counted); // of the last second
      this.#totalS = totalS;
      this.#counted = count;
    }
  }
}

/** The far end asks for more bits than a telephone's, and for none to be saved in silence. */
function clearer(sdp: string): string {
  return sdp.replace(/(a=fmtp:\d+ [^\r\n]*useinbandfec=1)/, `$1;maxaveragebitrate=${VOICE_BITS_PER_S};usedtx=0`);
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing happened within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
