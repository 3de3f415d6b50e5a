/* The microphone: opened, changed during the call, muted, and gone. */

import { Loudness } from "./latency";
import { Meter } from "./meter";
import { FRAMED, INSECURE, MUTED_OUTSIDE, NO_SOUND, REFUSALS } from "./sentences";
import { MICROPHONE_HZ, SoundError } from "./sound";

const SILENT_FOR_FRAMES = 40; // 4 s of nothing at all: even a quiet room has some noise

export interface Device {
  id: string;
  label: string;
}

export interface MicrophoneListener {
  /** 100 ms of 16-bit sound at MICROPHONE_HZ. */
  onframe(frame: ArrayBuffer): void;
  /** It was unplugged, or taken away. */
  onlost(label: string): void;
  /** Something is odd with it; "" when that is over. */
  ontrouble(sentence: string): void;
}

/** The microphones or loudspeakers there are; without names until a microphone was allowed. */
export async function listDevices(wanted: "audioinput" | "audiooutput"): Promise<Device[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all
    .filter(({ kind, deviceId }) => kind === wanted && deviceId)
    .map(({ deviceId, label }, n) => ({ id: deviceId, label: label || `Device ${n + 1}` }));
}

export class Microphone {
  readonly meter: Meter;
  readonly loudness = new Loudness();
  readonly #stream: MediaStream;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #node: AudioWorkletNode;
  #silentFrames = 0;
  #isOdd = false;

  /** Throws SoundError. Null if the context was closed while the browser asked. */
  static async open(
    context: AudioContext,
    listener: MicrophoneListener,
    deviceId?: string,
  ): Promise<Microphone | null> {
    const stream = await askForMicrophone(deviceId);
    if (context.state !== "closed") return new Microphone(context, stream, listener);
    stop(stream);
    return null;
  }

  private constructor(context: AudioContext, stream: MediaStream, listener: MicrophoneListener) {
    this.#stream = stream;
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, "sayso-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rateHz: MICROPHONE_HZ },
    });
    this.#node.port.onmessage = ({ data }: MessageEvent<Captured>) => {
      this.#weigh(data.powers, listener);
      listener.onframe(data.frame);
    };
    this.meter = new Meter(context, this.#source);
    this.#source.connect(this.#node);
    this.#track.onended = () => listener.onlost(this.label);
    this.#track.onmute = () => listener.ontrouble(MUTED_OUTSIDE);
    this.#track.onunmute = () => listener.ontrouble("");
  }

  get label(): string {
    return this.#track.label || "The microphone";
  }

  get deviceId(): string {
    return this.#track.getSettings().deviceId ?? "";
  }

  /** Muted, it sends silence: the conversation's clock goes on. */
  mute(muted: boolean): void {
    this.#track.enabled = !muted;
    this.#silentFrames = 0;
  }

  close(): void {
    this.#node.port.onmessage = null;
    this.#track.onended = this.#track.onmute = this.#track.onunmute = null;
    this.#source.disconnect();
    stop(this.#stream);
  }

  get #track(): MediaStreamTrack {
    return this.#stream.getAudioTracks()[0]!;
  }

  #weigh(powers: [number, number][], { ontrouble }: MicrophoneListener): void {
    let beganS: number | null = null;
    for (const [atS, power] of powers) {
      this.loudness.hear(power, atS, beganS === null ? 0.02 : atS - beganS);
      beganS = atS;
    }
    if (!this.#track.enabled || this.#track.muted) return;
    const isSilent = powers.every(([, power]) => power === 0);
    this.#silentFrames = isSilent ? this.#silentFrames + 1 : 0;
    if (this.#silentFrames === SILENT_FOR_FRAMES) ontrouble(NO_SOUND);
    if (this.#isOdd && !isSilent) ontrouble("");
    this.#isOdd = this.#silentFrames >= SILENT_FOR_FRAMES;
  }
}

interface Captured {
  frame: ArrayBuffer;
  powers: [number, number][];
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function askForMicrophone(deviceId: string | undefined): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new SoundError(INSECURE);
  const audio: MediaTrackConstraints = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    ...(deviceId && { deviceId: { exact: deviceId } }),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new SoundError(whyRefused(error as Error));
  }
}

function whyRefused({ name, message }: Error): string {
  // A frame without `allow="microphone"` is refused with the same name as by a person.
  const policy = (document as { featurePolicy?: { allowsFeature(name: string): boolean } }).featurePolicy;
  if (name === "NotAllowedError" && window !== top && policy?.allowsFeature("microphone") === false)
    return FRAMED;
  return REFUSALS[name] ?? `The microphone does not work: ${message}`;
}
