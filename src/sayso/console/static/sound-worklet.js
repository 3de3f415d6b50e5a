/* The two ends of the sound, on the audio thread: `sayso-capture` and `sayso-player`.
 *
 * The AudioContext keeps the rate of the sound card, because Firefox refuses to connect a
 * microphone to a context of any other rate; so both processors resample here. One file, because
 * not every browser lets a worklet import another.
 */

const ZERO_CROSSINGS = 16;
const PASSBAND = 0.94; // of the lower Nyquist frequency; the rest is the filter's slope
const FRAME_S = 0.1; // sound sent at a time
const FIRST_WAIT_S = 0.06; // sound gathered before a reply begins to play
const GAP_WAIT_S = 0.15; // the same, after it ran dry in the middle: the network is uneven
const FADE_S = 0.005; // a reply that is dropped ends in this fade, not in a click
const REPORT_S = 0.25; // of a reply between two reports of how much of it has played
const MAX_QUEUED_S = 120;

/** Changes the sample rate of a stream: a windowed-sinc filter, one set of weights a phase. */
class Resampler {
  constructor(fromHz, toHz) {
    const common = greatestCommonDivisor(fromHz, toHz);
    this.step = fromHz / common;
    this.phases = toHz / common;
    const cutoff = PASSBAND * Math.min(1, toHz / fromHz);
    this.half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.weights = Array.from({ length: this.phases }, (_, phase) =>
      weightsAt(phase / this.phases, this.half, cutoff),
    );
    this.past = new Float32Array(2 * this.half);
    this.at = 0; // of the next sample out, in 1/phases of a sample in
  }

  process(fresh) {
    const taps = 2 * this.half;
    const sound = new Float32Array(taps + fresh.length);
    sound.set(this.past);
    sound.set(fresh, taps);
    const end = fresh.length * this.phases;
    const out = new Float32Array(Math.ceil(Math.max(0, end - this.at) / this.step));
    for (let n = 0; n < out.length; n += 1, this.at += this.step) {
      const begin = Math.floor(this.at / this.phases);
      const weights = this.weights[this.at % this.phases];
      let sum = 0;
      for (let k = 0; k < taps; k += 1) sum += sound[begin + k] * weights[k];
      out[n] = sum;
    }
    this.at -= end;
    this.past = sound.slice(fresh.length);
    return out;
  }
}

function greatestCommonDivisor(a, b) {
  return b ? greatestCommonDivisor(b, a % b) : a;
}

/** Weights of the samples around a point `fraction` past the middle; they add up to 1. */
function weightsAt(fraction, half, cutoff) {
  const weights = Float32Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - fraction;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (half + 1));
    return window * (x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Posts the microphone as 16-bit little-endian frames of 100 ms. */
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { rateHz } }) {
    super();
    this.resampler = new Resampler(sampleRate, rateHz);
    this.frame = new DataView(new ArrayBuffer(2 * Math.round(rateHz * FRAME_S)));
    this.filled = 0;
  }

  process([[channel]]) {
    if (channel) for (const sample of this.resampler.process(channel)) this.put(sample);
    return true;
  }

  put(sample) {
    const value = Math.round(sample * 32768);
    this.frame.setInt16(this.filled, Math.max(-32768, Math.min(32767, value)), true);
    this.filled += 2;
    if (this.filled < this.frame.byteLength) return;
    this.port.postMessage(this.frame.buffer.slice(0));
    this.filled = 0;
  }
}

/**
 * Plays replies: takes `begin`, `sound` and `end`. Tells when one begins (`playing`), how it goes on
 * (`played`) and when it was heard to its end (`dry`), each with the seconds of it that have played.
 */
class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { rateHz } }) {
    super();
    this.rateHz = rateHz;
    this.queue = [];
    this.queued = 0;
    this.begin(0);
    this.port.onmessage = ({ data }) => this[data.order](data.what);
  }

  /** A new reply: what is left of the one before is dropped. */
  begin(reply) {
    const rest = this.queued ? this.queue[0].subarray(0, Math.round(FADE_S * sampleRate)) : [];
    this.fade = Float32Array.from(rest, (sample, n) => sample * (1 - n / rest.length));
    this.reply = reply;
    this.resampler = new Resampler(this.rateHz, sampleRate);
    this.queue = [];
    this.queued = 0;
    this.complete = false;
    this.heard = false;
    this.played = 0; // samples
    this.told = 0;
    this.gather(FIRST_WAIT_S);
  }

  sound(samples) {
    if (this.queued < MAX_QUEUED_S * sampleRate) this.add(this.resampler.process(samples));
  }

  /** All of the reply has come; the last of it is still in the resampler. */
  end() {
    this.add(this.resampler.process(new Float32Array(this.resampler.half + 1)));
    this.complete = true;
  }

  add(sound) {
    if (sound.length) this.queue.push(sound);
    this.queued += sound.length;
  }

  gather(seconds) {
    this.wanted = seconds * sampleRate;
  }

  process(_, [[out]]) {
    out.set(this.fade.subarray(0, out.length));
    this.fade = this.fade.subarray(out.length);
    if (this.queued < this.wanted && !this.complete) return true;
    this.wanted = 0;
    if (this.queued && !this.heard) this.tell("playing");
    this.fill(out);
    if (!this.queued) this.runDry();
    else if (this.played - this.told >= REPORT_S * sampleRate) this.tell("played");
    return true;
  }

  fill(out) {
    for (let at = 0; at < out.length && this.queued; ) {
      const piece = this.queue[0].subarray(0, out.length - at);
      for (let n = 0; n < piece.length; n += 1) out[at + n] += piece[n];
      at += piece.length;
      this.played += piece.length;
      this.queued -= piece.length;
      this.queue[0] = this.queue[0].subarray(piece.length);
      if (!this.queue[0].length) this.queue.shift();
    }
  }

  runDry() {
    this.tell(this.complete ? "dry" : "played");
    this.complete = false;
    this.gather(GAP_WAIT_S);
  }

  tell(news) {
    this.heard = true;
    this.told = this.played;
    this.port.postMessage({ news, reply: this.reply, seconds: this.played / sampleRate });
  }
}

registerProcessor("sayso-capture", Capture);
registerProcessor("sayso-player", Player);
