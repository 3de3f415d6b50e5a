/* One conversation in PlayAI's messages (docs/reference/websocket.md). Knows no page and no sound. */

const ANSWER_WITHIN_MS = 15_000;
const CLOSES_WITHIN_MS = 1000; // after a goodbye; the close says why
const MAX_UNSENT_BYTES = 65_536; // about 1.5 s of microphone; sound that old is no use

const FAULTS = {
  1001: "This agent is private: only its owner can talk to it.",
  1002: "There is no agent at this address. Check the link you were given.",
  1003: "This agent is private: only its owner can talk to it.",
  4400: "The server did not understand this page. Reload it and start again.",
  4401: "This agent is private: only its owner can talk to it.",
  4429: "Everybody is talking right now. Start again in a moment.",
  4500: "Something went wrong on the server. Start again; if it happens twice, tell its operator.",
};
const NO_ANSWER = "The server does not answer. Check your connection and start again.";
const LOST = "The connection was lost. Start again to go on talking.";
const GOODBYES = {
  agent: "The agent hung up.",
  system: "The server ended the conversation.",
  error: "The conversation broke off. Start again to go on talking.",
};
const REASONS = {
  silence: "Nobody spoke for a while, so the agent hung up.",
  time_up: "The call has taken as long as it may, so the agent hung up.",
  agent_done: "The agent said goodbye and hung up.",
  transferred: "The agent handed you on to somebody else.",
  server_stopped: "The server was stopped. Start again in a moment.",
};

/**
 * Talks to the agent at `url`, and calls `listener`:
 *
 *     opened()  voiceStarted()  voiceEnded()  callerSaid(text)
 *     replyBegan(stream)     the n-th reply of the conversation, from 1
 *     replySound(samples)  replyEnded()  agentSaid(text)  agentInterrupted(heard)
 *     disturbed(sentence)    something failed, the conversation goes on
 *     ended(sentence)        last and once; "" after `hangUp`
 */
export class Conversation {
  constructor(url, setup, listener) {
    this.listener = listener;
    this.setup = setup;
    this.isOpen = false;
    this.isOver = false;
    this.streams = 0;
    this.timer = setTimeout(() => this.end(NO_ANSWER), ANSWER_WITHIN_MS);
    this.socket = new WebSocket(url);
    this.socket.onopen = () => this.send({ type: "setup", ...this.setup });
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    this.socket.onclose = ({ code, reason }) => this.end(this.whyClosed(code, reason));
  }

  /** 16-bit sound as the setup announced it. */
  sendSound(frame) {
    if (!this.isOpen || this.socket.bufferedAmount > MAX_UNSENT_BYTES) return;
    this.send({ type: "audioIn", data: btoa(String.fromCharCode(...new Uint8Array(frame))) });
  }

  sendText(text) {
    this.send({ type: "textIn", data: text });
  }

  /** So many seconds of the n-th reply have been heard. */
  sendPlayed(stream, seconds) {
    this.send({ type: "played", stream, seconds: Math.round(seconds * 1000) / 1000 });
  }

  /** There is no loudspeaker: the reply counts as heard. */
  sendPlayedOut() {
    this.send({ type: "bufferEmpty" });
  }

  hangUp() {
    this.end("");
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  receive(message) {
    if (!this.isOver) MESSAGES[message.type]?.call(this, message);
  }

  open() {
    clearTimeout(this.timer);
    this.isOpen = true;
    this.listener.opened();
  }

  fault({ code, message, isFatal }) {
    if (isFatal !== false) this.end(FAULTS[code] ?? asSentence(message));
    else this.listener.disturbed(asSentence(message));
  }

  takeLeave(endedBy) {
    this.goodbye = GOODBYES[endedBy] ?? GOODBYES.agent;
    this.timer = setTimeout(() => this.end(this.goodbye), CLOSES_WITHIN_MS);
  }

  whyClosed(code, reason) {
    if (code === 1000) return REASONS[reason] ?? this.goodbye ?? GOODBYES.agent;
    if (this.goodbye) return this.goodbye;
    return FAULTS[code] ?? (this.isOpen ? LOST : NO_ANSWER);
  }

  end(sentence) {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    clearTimeout(this.timer);
    this.socket.close(1000);
    this.listener.ended(sentence);
  }
}

/** What the server says, and what it means here; other types are none of this page's business. */
const MESSAGES = {
  init() { this.open(); },
  voiceActivityStart() { this.listener.voiceStarted(); },
  voiceActivityEnd() { this.listener.voiceEnded(); },
  onUserTranscript({ message }) { this.listener.callerSaid(message); },
  newAudioStream() { this.listener.replyBegan((this.streams += 1)); },
  audioStream({ data }) { this.listener.replySound(samplesOf(data)); },
  audioStreamEnd() { this.listener.replyEnded(); },
  onAgentTranscript({ message }) { this.listener.agentSaid(message); },
  onAgentInterrupted({ updatedMessage }) { this.listener.agentInterrupted(updatedMessage ?? ""); },
  error(message) { this.fault(message); },
  hangup({ endedBy }) { this.takeLeave(endedBy); },
};

/** `raw` sound: 32-bit floats, little-endian like every machine with a browser. */
function samplesOf(data) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer, 0, bytes.length >> 2);
}

function asSentence(text) {
  const begun = `${text ?? "Something went wrong."}`.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
