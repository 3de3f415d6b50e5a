/* Shows one call at a time: who speaks, what was said, and the controls.
 *
 * The talk page, the element and the embedded frame are this panel in different surroundings.
 */

import { Call, type CallOptions, type Device, type Ending, type Line, type State } from "../call";
import { make } from "./dom";
import type { Mode, Words } from "./words";

const NEAR_END_PX = 80;
const MAX_MESSAGE_CHARS = 20_000;
const USUAL = "default"; // how browsers that list the usual device among the others call it

export interface PanelOptions {
  words: Words;
  mode: Mode;
  /** What the next call is made with; asked as it starts. */
  connect(): CallOptions;
  connected?(conversationId: string): void;
  /** A line is final. */
  transcript?(line: Line): void;
  customEvent?(name: string, data: unknown): void;
  navigate?(url: string): void;
  state?(state: State, status: string): void;
  ended?(ending: Ending): void;
}

export class Panel {
  readonly #options: PanelOptions;
  readonly #root: HTMLElement;
  readonly #parts: Parts;
  readonly #shown = new Map<string, HTMLElement>();
  #call: Call | null = null;
  #drawing = 0;
  /** The loudspeaker that was chosen in the call before. */
  #speakerId = "";

  /** Fills `root`, whose `data-state` says what is going on. */
  constructor(root: HTMLElement, options: PanelOptions) {
    this.#root = root;
    this.#options = options;
    this.#parts = build(options);
    root.dataset.state = "idle";
    root.append(...this.#parts.all);
    this.#wire();
    this.#showControls();
  }

  /** Starts a call; must come from a click. */
  async start({ microphone = this.#options.mode !== "text" } = {}): Promise<void> {
    if (this.#call) return;
    const { lines, notice, text } = this.#parts;
    lines.replaceChildren();
    this.#shown.clear();
    notice.textContent = "";
    this.#showLatency(null);
    const call = new Call(this.#options.connect(), {
      state: (state) => this.#showState(state),
      transcript: (said) => this.#showLines(said),
      notice: (sentence) => (notice.textContent = sentence),
      microphone: () => this.#showMicrophone(),
      latency: (seconds) => this.#showLatency(seconds),
      customEvent: (name, data) => this.#options.customEvent?.(name, data),
      navigate: (url) => this.#options.navigate?.(url),
      connected: (id) => this.#options.connected?.(id),
      ended: (ending) => this.#showEnd(ending),
    });
    this.#call = call;
    this.#arrange();
    if (!microphone) text.focus();
    this.#draw();
    await call.start({ microphone, sound: this.#options.mode !== "text", speakerId: this.#speakerId });
    if (this.#call === call && !call.hasMicrophone) text.focus();
  }

  get call(): Call | null {
    return this.#call;
  }

  /** Puts the keyboard where the next step is. */
  focus(): void {
    const { start, text, end } = this.#parts;
    if (!this.#call) start.focus();
    else if (this.#call.hasMicrophone) end.focus();
    else text.focus();
  }

  hangUp(): void {
    this.#call?.hangUp();
  }

  #wire(): void {
    const { start, type, mute, hold, end, device, speaker, composer, text, log } = this.#parts;
    start.onclick = () => void this.start();
    type.onclick = () => void this.start({ microphone: false });
    mute.onclick = () => this.#call?.mute(!this.#call.isMuted);
    hold.onclick = () => this.#call?.hold(!this.#call.isHeld);
    end.onclick = () => this.hangUp();
    device.onchange = () => void this.#call?.useMicrophone(device.value);
    speaker.onchange = () => void this.#call?.useSpeaker((this.#speakerId = speaker.value));
    composer.onsubmit = (event) => {
      event.preventDefault();
      const said = text.value.trim();
      if (said && this.#call?.say(said)) text.value = "";
    };
    // A phone's keyboard takes half of the page.
    new ResizeObserver(() => scrollToEnd(log)).observe(log);
    addEventListener("pagehide", () => this.hangUp());
  }

  /** Shows other controls, and keeps the keyboard on them. */
  #arrange(): void {
    const { start, end } = this.#parts;
    const { activeElement } = this.#root.getRootNode() as Document | ShadowRoot;
    const hadFocus = activeElement === document.body || this.#root.contains(activeElement);
    this.#showControls();
    if (hadFocus) (this.#call ? end : start).focus();
  }

  /** Shows the controls of a call, or those that start one. */
  #showControls(): void {
    const { start, type, end, mute, hold, composer, choice } = this.#parts;
    const { mode } = this.#options;
    const isCalling = this.#call !== null;
    this.#root.classList.toggle("calling", isCalling);
    start.hidden = isCalling;
    type.hidden = isCalling || mode !== "both";
    end.hidden = !isCalling;
    composer.hidden = !isCalling || mode === "voice";
    if (!isCalling) mute.hidden = hold.hidden = choice.hidden = true;
  }

  // What the call tells -------------------------------------------------------------------------

  #showState(state: State): void {
    this.#root.dataset.state = state;
    this.#showMicrophone();
  }

  #showMicrophone(): void {
    const call = this.#call;
    if (!call) return;
    const { mute, hold, device, speaker, choice } = this.#parts;
    const { words } = this.#options;
    const hasMicrophone = call.hasMicrophone && call.state !== "ended";
    mute.hidden = hold.hidden = !hasMicrophone;
    mute.textContent = call.isMuted ? words.unmute : words.mute;
    hold.textContent = call.isHeld ? words.unhold : words.hold;
    this.#root.toggleAttribute("data-muted", call.isMuted || call.isHeld);
    const canChoose = [offer(device, call.microphones, call.deviceId), offer(speaker, call.speakers, call.speakerId || USUAL)];
    choice.hidden = !hasMicrophone || !canChoose.includes(true);
    this.#showStatus(call);
  }

  #showStatus(call: Call): void {
    const { words, state } = this.#options;
    const status = statusOf(call, words);
    if (this.#parts.status.textContent !== status) this.#parts.status.textContent = status;
    state?.(call.state, status);
  }

  #showLatency(seconds: number | null): void {
    this.#parts.latency.textContent =
      seconds === null ? "" : this.#options.words.latency.replace("{seconds}", seconds.toFixed(1));
  }

  #showEnd(ending: Ending): void {
    const { notice, start, status, lines } = this.#parts;
    this.#call = null;
    cancelAnimationFrame(this.#drawing);
    this.#parts.orb.style.removeProperty("--level");
    notice.textContent = ending.sentence; // what was said of the call before it ended holds no longer
    for (const note of lines.querySelectorAll(".waiting small")) note.textContent = this.#options.words.unanswered;
    status.textContent = this.#options.words.ended;
    start.textContent = this.#options.words.again;
    this.#arrange();
    this.#options.ended?.(ending);
  }

  /** A line that becomes final is a new element, so that screen readers say it once, and whole. */
  #showLines(said: readonly Line[]): void {
    const { log, lines } = this.#parts;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    const wanted = new Set(said.map(keyOf));
    for (const [key, element] of this.#shown)
      if (!wanted.has(key)) {
        element.remove();
        this.#shown.delete(key);
      }
    said.forEach((line, at) => this.#showLine(line, lines.children[at] ?? null));
    if (isAtEnd) scrollToEnd(log);
  }

  #showLine(line: Line, before: Element | null): void {
    let element = this.#shown.get(keyOf(line));
    if (!element) {
      element = makeLine(line, this.#options.words);
      this.#shown.set(keyOf(line), element);
      this.#parts.lines.insertBefore(element, before);
      if (!line.isInterim && !line.isWaiting) this.#options.transcript?.(line);
    }
    const words = element.querySelector("p")!;
    if (words.firstChild?.textContent !== line.text) words.firstChild!.textContent = line.text;
    if (line.isInterrupted && !element.classList.contains("interrupted")) {
      element.classList.add("interrupted");
      element.append(make("small", {}, `… ${this.#options.words.interrupted}`));
    }
  }

  #draw(): void {
    this.#drawing = requestAnimationFrame(() => {
      if (!this.#call) return;
      const { caller, agent } = this.#call.levels;
      const level = this.#call.state === "speaking" ? agent : caller;
      this.#parts.orb.style.setProperty("--level", level.toFixed(3));
      this.#draw();
    });
  }
}

function statusOf(call: Call, words: Words): string {
  if (call.state === "idle") return words.ready;
  if (call.state !== "listening" && !(call.isHeld && call.state === "speaking"))
    return words[call.state];
  if (!call.hasMicrophone) return words.typing;
  if (call.isHeld) return words.held;
  return call.isMuted ? words.muted : words.listening;
}

/** Fills the choice of a device; whether there is one. */
function offer(choice: HTMLSelectElement, devices: readonly Device[], chosen: string): boolean {
  choice.replaceChildren(...devices.map(({ id, label }) => new Option(label, id)));
  choice.value = chosen;
  const isChoice = devices.length > 1;
  choice.parentElement!.hidden = !isChoice;
  return isChoice;
}

function keyOf({ id, isInterim, isWaiting }: Line): string {
  return `${id}${isInterim || isWaiting ? "…" : ""}`;
}

function makeLine(line: Line, words: Words): HTMLElement {
  const name = make("span", {}, words[line.who === "agent" ? "agent" : "you"]);
  const said = make("p", {}, document.createTextNode(line.text));
  const isDraft = line.isInterim || line.isWaiting; // it is read once it stands
  const item = make("li", { class: line.who, "aria-hidden": isDraft ? "true" : false }, name, said);
  item.classList.toggle("interim", line.isInterim === true);
  item.classList.toggle("waiting", line.isWaiting === true);
  if (line.isWaiting) item.append(make("small", {}, words.waiting));
  return item;
}

function scrollToEnd(log: HTMLElement): void {
  log.scrollTop = log.scrollHeight;
}

// Parts ---------------------------------------------------------------------------------------

type Parts = ReturnType<typeof build>;

function build({ words, mode }: PanelOptions) {
  const button = (label: string, kind = "") => make("button", { type: "button", class: kind }, label);
  const orb = make("div", { class: "orb", "aria-hidden": "true" }, make("i"), make("i"), make("b"));
  const status = make("p", { class: "status", role: "status" }, words.ready);
  const latency = make("p", { class: "latency" });
  const start = button(mode === "text" ? words.chat : words.start, "primary");
  const type = button(words.type);
  const mute = button(words.mute);
  const hold = button(words.hold);
  const end = button(words.end, "danger");
  const device = make("select", { "aria-label": words.microphone });
  const speaker = make("select", { "aria-label": words.speaker });
  const choice = make("div", { class: "choice" }, make("label", {}, words.microphone, device), make("label", {}, words.speaker, speaker));
  const controls = make("div", { class: "controls" }, start, type, mute, hold, end);
  const notice = make("p", { class: "notice", role: "alert" });
  const stage = make("section", { class: "stage", "aria-label": "Call" });
  stage.append(orb, status, latency, controls, choice, notice);

  const title = make("h2", {}, words.transcript);
  const lines = make("ol");
  const log = make("div", {
    class: "log", role: "log", "aria-relevant": "additions", "aria-label": words.transcript, tabindex: "0",
  });
  log.append(lines);
  const intro = make("p", { class: "empty" }, make("slot", { name: "intro" }, words.intro));
  const transcript = make("section", { class: "transcript" }, title, log, intro);

  const text = make("input", {
    type: "text", maxlength: `${MAX_MESSAGE_CHARS}`, autocomplete: "off", enterkeyhint: "send",
    placeholder: words.placeholder, "aria-label": words.message,
  });
  const send = make("button", { class: "primary", type: "submit" }, words.send);
  const composer = make("form", { class: "composer" }, text, send);
  const all = [stage, transcript, composer];
  return {
    all, orb, status, latency, start, type, mute, hold, end, device, speaker, choice, notice, log, lines, text, composer,
  };
}
