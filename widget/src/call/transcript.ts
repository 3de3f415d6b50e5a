/* What was said, as lines to show. Pure: each change gives a new list, for whoever compares. */

export interface Line {
  /** The same for as long as the line is there. */
  readonly id: number;
  readonly who: "agent" | "caller";
  readonly text: string;
  /** The caller is still saying it: more or other words will follow. */
  readonly isInterim?: boolean;
  /** The caller typed it, and the agent has not taken it yet: it is the last. */
  readonly isWaiting?: boolean;
  /** The caller cut it off here. */
  readonly isInterrupted?: boolean;
}

export class Transcript {
  lines: readonly Line[] = [];
  #next = 1;
  /** The agent's line of the reply under way. */
  #reply: number | null = null;

  replyBegan(): void {
    this.#reply = null;
  }

  agentSaid(text: string): void {
    this.#reply = this.#add("agent", text);
  }

  /** Of the reply under way, only this was heard. */
  agentInterrupted(heard: string): void {
    if (this.#reply === null && heard) this.agentSaid(heard);
    const reply = this.#reply;
    this.#reply = null;
    this.lines = this.lines.flatMap((line) => {
      if (line.id !== reply) return [line];
      return heard ? [{ ...line, text: heard, isInterrupted: true }] : [];
    });
  }

  /** The caller's words so far; the next ones take their place. "" takes them back. */
  callerSaysSoFar(text: string): void {
    if (!text) this.lines = this.lines.filter((line) => !line.isInterim);
    else this.#settle(text, true);
  }

  /** Lines may be said together, once a reply that nobody may interrupt is over. */
  callerSaid(text: string): void {
    const [first, ...more] = this.lines.filter((line) => line.isWaiting && squeeze(text).includes(squeeze(line.text)));
    if (!first) return this.#settle(text, false);
    this.lines = this.lines.filter((line) => line !== first && !more.includes(line));
    this.#put({ id: first.id, who: "caller", text });
  }

  /** The caller typed it: it is seen at once, whenever the agent takes it. */
  callerTyped(text: string): void {
    this.#put({ id: this.#next++, who: "caller", text, isWaiting: true });
  }

  #settle(text: string, isInterim: boolean): void {
    const interim = this.lines.find((line) => line.isInterim);
    if (!interim) {
      this.#add("caller", text, isInterim);
      return;
    }
    const { isInterim: _, ...line } = interim;
    const settled: Line = isInterim ? { ...line, text, isInterim } : { ...line, text };
    this.lines = this.lines.map((other) => (other.id === line.id ? settled : other));
  }

  #add(who: Line["who"], text: string, isInterim = false): number {
    const id = this.#next++;
    this.#put(isInterim ? { id, who, text, isInterim } : { id, who, text });
    return id;
  }

  /** At the end, but for what waits. */
  #put(line: Line): void {
    const waiting = line.isWaiting ? [] : this.lines.filter(({ isWaiting }) => isWaiting);
    this.lines = [...this.lines.filter((other) => !waiting.includes(other)), line, ...waiting];
  }
}

const squeeze = (text: string): string => text.replace(/\s+/g, " ").trim();
