/* What was said, as lines to show. Pure: each change gives a new list, for whoever compares. */

export interface Line {
  /** The same for as long as the line is there. */
  readonly id: number;
  readonly who: "agent" | "caller";
  readonly text: string;
  /** The caller is still saying it: more or other words will follow. */
  readonly isInterim?: boolean;
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

  callerSaid(text: string): void {
    this.#settle(text, false);
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
    this.lines = [...this.lines, isInterim ? { id, who, text, isInterim } : { id, who, text }];
    return id;
  }
}
