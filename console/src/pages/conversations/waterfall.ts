/* The record of a turn as steps in time. Pure; the same reading as the server's own traces. */

export interface Step {
  name: string;
  beginsS: number;
  endsS: number;
}

type Timings = Readonly<Record<string, unknown>>;

const MARK = /^(?!sound_)([a-z][a-z0-9_]{0,60})_s$/;
const ENDS: ReadonlySet<string> = new Set(["played", "interrupted"]);
const SOUNDED = "first_sound_sent";
const NAMES: Readonly<Record<string, string>> = {
  transcript: "Transcript", endpoint: "End of turn", retrieval: "Knowledge", first_call: "First call", calls_done: "Calls",
  llm_first_token: "LLM, first word", first_clause: "First clause", tts_first_sound: "Voice, first sound",
  first_sound_sent: "First sound out", text_complete: "Text complete", heard: "Heard",
};

/** Replies that nobody asked for, by the server's word for them. */
const LINES: Readonly<Record<string, string>> = {
  "greeting": "Greeting", "not heard": "It had not understood", "farewell": "Goodbye", "nudge": "Nudge", "warning": "Warning before the end", "giving up": "Goodbye",
};

/** What a turn is called: its number, or what was said without being asked. */
export function nameTurn(number: number, { line }: Timings): string {
  return typeof line === "string" ? LINES[line] ?? line : `Turn ${number}`;
}

export const nameStep = (name: string): string => NAMES[name] ?? name.replaceAll("_", " ");

/** Each step from the one before it, and at last what was heard; seconds from the end of the caller's speech. */
export function readSteps(timings: Timings): Step[] {
  const marks = readMarks(timings);
  const endS = Math.max(0, ...marks.map(([, atS]) => atS));
  const reached = marks.filter(([name]) => !ENDS.has(name)).sort(([, left], [, right]) => left - right);
  let beforeS = 0;
  const steps = reached.map(([name, atS]) => {
    const step = { name, beginsS: beforeS, endsS: atS };
    beforeS = atS;
    return step;
  });
  const soundedS = marks.find(([name]) => name === SOUNDED)?.[1];
  return soundedS === undefined ? steps : [...steps, { name: "heard", beginsS: soundedS, endsS: endS }];
}

/** From the end of the caller's speech to the first sound of the answer, seconds; null if none came, or nobody asked. */
export function readLatency(timings: Timings): number | null {
  const atS = timings[`${SOUNDED}_s`];
  if (typeof timings["line"] === "string") return null;
  return typeof atS === "number" ? atS : null;
}

function readMarks(timings: Timings): [string, number][] {
  return Object.entries(timings).flatMap(([key, value]): [string, number][] => {
    const name = MARK.exec(key)?.[1];
    return name && typeof value === "number" ? [[name, value]] : [];
  });
}
