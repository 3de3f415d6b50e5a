/* Plays replies, and tells how much of them was heard. */

import { Loudspeaker } from "./loudspeaker";
import { Meter } from "./meter";
import { SPEAKER_HZ } from "./sound";
import type { News, Order } from "./worklet";

export interface SpeakerListener {
  /** Sound of the reply begins to come out, at this time of the context. */
  onplaying(atS: number): void;
  /** So many seconds of it were heard; several times a second. */
  onplayed(reply: number, seconds: number): void;
  /** It was heard to its end. */
  ondry(): void;
}

/** Plays float samples at SPEAKER_HZ. */
export class Speaker {
  readonly meter: Meter;
  readonly loudspeaker: Loudspeaker;
  readonly #node: AudioWorkletNode;
  #reply = 0;

  constructor(context: AudioContext, listener: SpeakerListener) {
    this.loudspeaker = new Loudspeaker(context);
    this.#node = new AudioWorkletNode(context, "sayso-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { rateHz: SPEAKER_HZ },
    });
    this.#node.port.onmessage = ({ data }: MessageEvent<News>) => {
      if (!this.#reply || data.reply !== this.#reply) return;
      listener.onplayed(data.reply, Math.max(0, data.seconds - this.loudspeaker.delayS));
      if (data.news === "dry") listener.ondry();
      if (data.news === "playing") listener.onplaying(data.atS + this.loudspeaker.delayS);
    };
    this.meter = new Meter(context, this.#node);
    this.#node.connect(this.loudspeaker.input);
  }

  /** A new reply begins; what is left of the one before is dropped. 0 is no reply. */
  begin(reply = 0): void {
    this.#reply = reply;
    this.#order({ order: "begin", what: reply });
  }

  /** Sound of a reply; of one that is no longer the last it is dropped. */
  play(samples: Float32Array, reply: number): void {
    if (reply === this.#reply) this.#order({ order: "sound", what: samples }, [samples.buffer]);
  }

  /** All of the reply has come: `ondry` follows when it has been heard. */
  end(): void {
    this.#order({ order: "end" });
  }

  /** Fall silent and keep what is left, or go on with it. */
  hold(isHeld: boolean): void {
    this.#order({ order: isHeld ? "hold" : "resume" });
  }

  close(): void {
    this.loudspeaker.close();
  }

  #order(order: Order, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(order, transfer);
  }
}
