/* The two ends of the sound, on the audio thread: `sayso-capture` and `sayso-player`.
 *
 * The AudioContext keeps the rate of the sound card, because Firefox refuses to connect a
 * microphone to a context of any other rate (openai/openai-realtime-console#457,
 * pipecat-ai/pipecat-client-web-transports#82, elevenlabs/packages#440); so both processors
 * resample here. One file, because not every browser lets a worklet import another.
 */

/// <reference path="./worklet-scope.d.ts" />

const ZERO_CROSSINGS = 16;
const PASSBAND = 0.94; // of the lower Nyquist frequency; the rest is the filter's slope
const FRAME_S = 0.1; // sound sent at a time
const FIRST_WAIT_S = 0.06; // sound gathered before a reply begins to play
const GAP_WAIT_S = 0.15; // the same, after it ran dry in the middle: the network is uneven
const FADE_S = 0.005; // a reply that is dropped ends in this fade, not in a click
const REPORT_S = 0.25; // of a reply between two reports of how much of it has played
const HELD_REPORT_S = 0.1; // the same while it is held: the server takes sound to go on in between
const MAX_QUEUED_S = 120;
const LOUDNESS_S = 0.02; // of sound whose power is told at a time

/** Changes the sample rate of a stream: a windowed-sinc filter, one set of weights a phase. */
class Resampler {
  readonly half: number;
  readonly #step: number;
  readonly #phases: number;
  readonly #weights: Float32Array[];
  #past: Float32Array;
  #at = 0; // of the next sample out, in 1/phases of a sample in

  constructor(fromHz: number, toHz: number) {
    const common = greatestCommonDivisor(fromHz, toHz);
    this.#step = fromHz / common;
    this.#phases = toHz / common;
    const cutoff = PASSBAND * Math.min(1, toHz / fromHz);
    this.half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#weights = Array.from({ length: this.#phases }, (_, phase) =>
      weightsAt(phase / this.#phases, this.half, cutoff),
    );
    this.#past = new Float32Array(2 * this.half);
  }

  process(fresh: Float32Array): Float32Array {
    const taps = 2 * this.half;
    const sound = new Float32Array(taps + fresh.length);
    sound.set(this.#past);
    sound.set(fresh, taps);
    const end = fresh.length * this.#phases;
    const out = new Float32Array(Math.ceil(Math.max(0, end - this.#at) / this.#step));
    for (let n = 0; n < out.length; n += 1, this.#at += this.#step) {
      const begin = Math.floor(this.#at / this.#phases);
      const weights = this.#weights[this.#at % this.#phases]!;
      let sum = 0;
      for (let k = 0; k < taps; k += 1) sum += sound[begin + k]! * weights[k]!;
      out[n] = sum;
    }
    this.#at -= end;
    this.#past = sound.slice(fresh.length);
    return out;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b ? greatestCommonDivisor(b, a % b) : a;
}

/** Weights of the samples around a point `fraction` past the middle; they add up to 1. */
function weightsAt(fraction: number, half: number, cutoff: number): Float32Array {
  const weights = Float32Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - fraction;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (half + 1));
    return window * (x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

interface Rate {
  processorOptions: { rateHz: number };
}

/** Posts the microphone as 16-bit little-endian frames of 100 ms, and how loud it was. */
class Capture extends AudioWorkletProcessor {
  readonly #resampler: Resampler;
  readonly #frame: DataView<ArrayBuffer>;
  #filled = 0;
  #energy = 0;
  #counted = 0;
  #powers: [number, number][] = []; // when, how much

  constructor({ processorOptions: { rateHz } }: Rate) {
    super();
    this.#resampler = new Resampler(sampleRate, rateHz);
    this.#frame = new DataView(new ArrayBuffer(2 * Math.round(rateHz * FRAME_S)));
  }

  process([input]: Float32Array[][]): boolean {
    const channel = input?.[0];
    if (!channel) return true;
    this.#weigh(channel);
    for (const sample of this.#resampler.process(channel)) this.#put(sample);
    return true;
  }

  #weigh(channel: Float32Array): void {
    for (const sample of channel) this.#energy += sample * sample;
    this.#counted += channel.length;
    if (this.#counted < LOUDNESS_S * sampleRate) return;
    this.#powers.push([currentTime + channel.length / sampleRate, this.#energy / this.#counted]);
    this.#energy = this.#counted = 0;
  }

  #put(sample: number): void {
    const value = Math.round(sample * 32768);
    this.#frame.setInt16(this.#filled, Math.max(-32768, Math.min(32767, value)), true);
    this.#filled += 2;
    if (this.#filled < this.#frame.byteLength) return;
    this.port.postMessage({ frame: this.#frame.buffer.slice(0), powers: this.#powers });
    this.#filled = 0;
    this.#powers = [];
  }
}

/** What a player is told: `what` is a reply's number with `begin`, samples with `sound`. */
export type Order =
  | { order: "begin"; what: number }
  | { order: "sound"; what: Float32Array }
  | { order: "end" | "hold" | "resume"; what?: undefined };

/** What a player tells: how much of which reply has played, and at what time of the context. */
export interface News {
  news: "playing" | "played" | "dry";
  reply: number;
  seconds: number;
  atS: number;
}

/**
 * Plays replies: takes `begin`, `sound` and `end`. Tells when one begins (`playing`), how it goes on
 * (`played`) and when it was heard to its end (`dry`), each with the seconds of it that have played.
 *
 * `hold` falls silent and keeps everything, `resume` goes on there: what the caller did was no
 * interruption after all. `begin` is what drops sound for good.
 */
class Player extends AudioWorkletProcessor {
  readonly #rateHz: number;
  #queue: Float32Array[] = [];
  private queued = 0; // samples; not #: tests look at it
  #fade: Float32Array = new Float32Array();
  #reply = 0;
  #resampler!: Resampler;
  #isComplete = false;
  #isHeard = false;
  #isHeld = false;
  #played = 0; // samples
  #told = 0;
  #wanted = 0;
  #heldFor = 0; // samples, since it was told

  constructor({ processorOptions: { rateHz } }: Rate) {
    super();
    this.#rateHz = rateHz;
    this.#begin(0);
    this.port.onmessage = ({ data }: MessageEvent<Order>) => this.#obey(data);
  }

  #obey({ order, what }: Order): void {
    if (order === "begin") this.#begin(what);
    else if (order === "sound") this.#sound(what);
    else if (order === "end") this.#end();
    else this.#hold(order === "hold");
  }

  /** A new reply: what is left of the one before is dropped. */
  #begin(reply: number): void {
    this.#fadeOut();
    this.#reply = reply;
    this.#resampler = new Resampler(this.#rateHz, sampleRate);
    this.#queue = [];
    this.queued = 0;
    this.#isComplete = false;
    this.#isHeard = false;
    this.#isHeld = false;
    this.#played = 0;
    this.#told = 0;
    this.#gather(FIRST_WAIT_S);
  }

  #fadeOut(): void {
    const isSounding = this.queued > 0 && !this.#isHeld;
    const rest = isSounding ? this.#queue[0]!.subarray(0, Math.round(FADE_S * sampleRate)) : [];
    this.#fade = Float32Array.from(rest, (sample, n) => sample * (1 - n / rest.length));
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    if (isHeld) this.#fadeOut();
    this.#isHeld = isHeld;
    if (this.#isHeard) this.#tell("played");
  }

  #sound(samples: Float32Array): void {
    if (this.queued < MAX_QUEUED_S * sampleRate) this.#add(this.#resampler.process(samples));
  }

  /** All of the reply has come; the last of it is still in the resampler. */
  #end(): void {
    this.#add(this.#resampler.process(new Float32Array(this.#resampler.half + 1)));
    this.#isComplete = true;
  }

  #add(sound: Float32Array): void {
    if (sound.length) this.#queue.push(sound);
    this.queued += sound.length;
  }

  #gather(seconds: number): void {
    this.#wanted = seconds * sampleRate;
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]![0]!;
    out.set(this.#fade.subarray(0, out.length));
    this.#fade = this.#fade.subarray(out.length);
    if (this.#isHeld) return this.#stayHeld(out.length);
    if (this.queued < this.#wanted && !this.#isComplete) return true;
    this.#wanted = 0;
    if (this.queued && !this.#isHeard) this.#tell("playing");
    this.#fill(out);
    if (!this.queued) this.#runDry();
    else if (this.#played - this.#told >= REPORT_S * sampleRate) this.#tell("played");
    return true;
  }

  #stayHeld(samples: number): true {
    this.#heldFor += samples;
    if (this.#isHeard && this.#heldFor >= HELD_REPORT_S * sampleRate) this.#tell("played");
    return true;
  }

  #fill(out: Float32Array): void {
    for (let at = 0; at < out.length && this.queued; ) {
      const first = this.#queue[0]!;
      const piece = first.subarray(0, out.length - at);
      for (let n = 0; n < piece.length; n += 1) out[at + n]! += piece[n]!;
      at += piece.length;
      this.#played += piece.length;
      this.queued -= piece.length;
      this.#queue[0] = first.subarray(piece.length);
      if (!this.#queue[0].length) this.#queue.shift();
    }
  }

  #runDry(): void {
    this.#tell(this.#isComplete ? "dry" : "played");
    this.#isComplete = false;
    this.#gather(GAP_WAIT_S);
  }

  #tell(news: News["news"]): void {
    this.#isHeard = true;
    this.#told = this.#played;
    this.#heldFor = 0;
    const seconds = this.#played / sampleRate;
    const told: News = { news, reply: this.#reply, seconds, atS: currentTime };
    this.port.postMessage(told);
  }
}

registerProcessor("sayso-capture", Capture);
registerProcessor("sayso-player", Player);
