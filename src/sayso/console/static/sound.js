/* A microphone and a loudspeaker, each with a level meter, over `sound-worklet.js`. */

export const MICROPHONE_HZ = 16_000;
export const SPEAKER_HZ = 24_000;

/** The sound card cannot be used; `message` tells a person why. */
export class SoundError extends Error {}

const REFUSALS = {
  NotAllowedError: "The microphone was refused. Allow it beside the page's address and start again.",
  NotFoundError: "No microphone was found. Plug one in and start again.",
  NotReadableError: "The microphone is busy in another program. Close that and start again.",
};

/** Opens the sound card. Call it from a click: browsers keep a page silent until then. */
export async function openSound() {
  const context = new AudioContext({ latencyHint: "interactive" });
  if (!context.audioWorklet) {
    await context.close();
    throw new SoundError(
      "The browser allows sound on secure pages only. Open this page over https, or on localhost.",
    );
  }
  // Some browsers settle this promise only after a click; nobody has to wait for it.
  context.resume().catch(() => {});
  await context.audioWorklet.addModule(new URL("sound-worklet.js", import.meta.url));
  return context;
}

/**
 * Plays replies of float samples at SPEAKER_HZ. Calls `onplaying` and `ondry`, and several times a
 * second `onplayed` with the reply's number and the seconds of it that were heard.
 */
export class Speaker {
  constructor(context, { onplaying, onplayed, ondry }) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "sayso-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { rateHz: SPEAKER_HZ },
    });
    this.node.port.onmessage = ({ data }) => {
      if (data.reply !== this.reply) return;
      if (this.reply) onplayed(this.reply, this.heardOf(data.seconds));
      if (data.news === "dry") ondry();
      if (data.news === "playing") onplaying();
    };
    this.meter = new Meter(context, this.node);
    this.node.connect(context.destination);
    this.reply = 0;
  }

  /** A new reply begins; what is left of the one before is dropped. 0 is no reply. */
  begin(reply = 0) {
    this.reply = reply;
    this.order("begin", reply);
  }

  /** What of the sound that was played has come out of the loudspeaker, too; in seconds. */
  heardOf(seconds) {
    return Math.max(0, seconds - (this.context.outputLatency || 0));
  }

  play(samples) {
    this.order("sound", samples, [samples.buffer]);
  }

  /** All of the reply has come: `ondry` follows when it has been heard. */
  end() {
    this.order("end");
  }

  order(order, what, transfer = []) {
    this.node.port.postMessage({ order, what }, transfer);
  }
}

/** Calls `onframe` with 100 ms of 16-bit sound at MICROPHONE_HZ; `onlost` if it is unplugged. */
export class Microphone {
  /** Null if the context was closed while the browser asked. */
  static async open(context, { onframe, onlost }) {
    const stream = await askForMicrophone();
    if (context.state !== "closed") return new Microphone(context, stream, onframe, onlost);
    stop(stream);
    return null;
  }

  constructor(context, stream, onframe, onlost) {
    this.stream = stream;
    this.source = context.createMediaStreamSource(stream);
    this.node = new AudioWorkletNode(context, "sayso-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rateHz: MICROPHONE_HZ },
    });
    this.node.port.onmessage = ({ data }) => onframe(data);
    this.meter = new Meter(context, this.source);
    this.source.connect(this.node);
    for (const track of stream.getTracks()) track.onended = onlost;
  }

  /** Muted, it sends silence: the conversation's clock goes on. */
  mute(muted) {
    for (const track of this.stream.getTracks()) track.enabled = !muted;
  }

  close() {
    stop(this.stream);
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

async function askForMicrophone() {
  const audio = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new SoundError(REFUSALS[error.name] ?? `The microphone does not work: ${error.message}`);
  }
}

/** How loud a node is right now, 0 to 1. */
class Meter {
  constructor(context, node) {
    this.analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.samples = new Float32Array(this.analyser.fftSize);
    node.connect(this.analyser);
  }

  /** Decibels of the mean power, with -60 dB as 0 and -10 dB as 1. */
  get level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, x) => sum + x * x, 0) / this.samples.length;
    return Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 50));
  }
}
