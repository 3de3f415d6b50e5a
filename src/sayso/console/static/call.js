/* A call: the conversation on one side, the microphone and the loudspeaker on the other. */

import { Conversation } from "./conversation.js";
import { Microphone, MICROPHONE_HZ, openSound, SoundError, Speaker, SPEAKER_HZ } from "./sound.js";

const SETUP = {
  inputEncoding: "linear16",
  inputSampleRate: MICROPHONE_HZ,
  outputFormat: "raw",
  outputSampleRate: SPEAKER_HZ,
};
const TYPE_INSTEAD = "You can still type.";

/**
 * One call from start to hang-up. `view` is told:
 *
 *     state(name)            connecting · listening · hearing · thinking · speaking
 *     caller(text)           the caller said or typed
 *     agent(text)            the agent says
 *     interrupted(heard)     of the agent's line, only this was heard
 *     replyBegan()           the agent's next line belongs to a new reply
 *     notice(sentence)       something to know; the call goes on
 *     ended(sentence)        last and once; "" when it was hung up here
 */
export class Call {
  constructor(url, view) {
    this.url = url;
    this.view = view;
    this.isOver = false;
  }

  /** Ask for sound first, so that nobody misses the greeting while they answer the browser. */
  async start({ withMicrophone }) {
    this.show("connecting");
    await this.openSound(withMicrophone);
    if (this.isOver) this.closeSound();
    else this.conversation = new Conversation(this.url, SETUP, this);
  }

  say(text) {
    this.conversation.sendText(text);
  }

  mute(muted) {
    this.microphone?.mute(muted);
  }

  hangUp() {
    if (this.conversation) this.conversation.hangUp();
    else this.ended("");
  }

  get hasMicrophone() {
    return Boolean(this.microphone);
  }

  show(state) {
    if (this.isOver) return;
    this.state = state;
    this.view.state(state);
  }

  tell(sentence) {
    if (!this.isOver) this.view.notice(sentence);
  }

  /** How loud each side is, 0 to 1. */
  get levels() {
    return { caller: this.microphone?.meter.level ?? 0, agent: this.speaker?.meter.level ?? 0 };
  }

  // Sound -----------------------------------------------------------------------------------

  async openSound(withMicrophone) {
    try {
      this.context = await openSound();
      if (this.isOver) return;
      this.speaker = new Speaker(this.context, {
        onplaying: () => this.show("speaking"),
        onplayed: (stream, seconds) => this.conversation.sendPlayed(stream, seconds),
        ondry: () => this.fallSilent(),
      });
      if (withMicrophone) await this.openMicrophone();
    } catch (error) {
      if (!(error instanceof SoundError)) throw error;
      this.tell(`${error.message} ${TYPE_INSTEAD}`);
    }
  }

  async openMicrophone() {
    this.microphone = await Microphone.open(this.context, {
      onframe: (frame) => this.conversation?.sendSound(frame),
      onlost: () => this.loseMicrophone(),
    });
  }

  loseMicrophone() {
    this.microphone = null;
    this.show(this.state);
    this.tell(`The microphone went away. ${TYPE_INSTEAD}`);
  }

  fallSilent() {
    if (this.state === "speaking") this.show("listening");
  }

  closeSound() {
    this.microphone?.close();
    this.context?.close();
    this.microphone = this.speaker = this.context = null;
  }

  // What the conversation tells -------------------------------------------------------------

  opened() { this.show("listening"); }
  voiceStarted() { this.show("hearing"); }
  voiceEnded() { this.show("thinking"); }
  callerSaid(text) { this.view.caller(text); }
  agentSaid(text) { this.view.agent(text); }
  disturbed(sentence) { this.tell(sentence); }

  replyBegan(stream) {
    this.view.replyBegan();
    if (this.speaker) this.speaker.begin(stream);
    else this.show("speaking");
  }

  replySound(samples) {
    this.speaker?.play(samples);
  }

  replyEnded() {
    if (this.speaker) {
      this.speaker.end();
      return;
    }
    this.conversation.sendPlayedOut();
    this.fallSilent();
  }

  agentInterrupted(heard) {
    this.speaker?.begin();
    this.view.interrupted(heard);
  }

  ended(sentence) {
    if (this.isOver) return;
    this.isOver = true;
    this.closeSound();
    this.view.ended(sentence);
  }
}
