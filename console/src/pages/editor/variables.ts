/* Variables as lines of `name = value`. Pure. */

export type Value = string | number | boolean;
export type Variables = Readonly<Record<string, Value>>;

/** One a line. A text that reads as a number, or as yes or no, stands in quotes. */
export function writeVariables(variables: Variables): string {
  return Object.entries(variables).map(([name, value]) => `${name} = ${typeof value === "string" && readValue(value) !== value ? JSON.stringify(value) : value}`).join("\n");
}

/** What is half typed, without a name or a `=`, is not there yet. */
export function readVariables(text: string): Variables {
  const pairs = text.split("\n").flatMap((line): [string, Value][] => {
    const at = line.indexOf("=");
    const name = line.slice(0, at).trim();
    return at > 0 && name ? [[name, readValue(line.slice(at + 1).trim())]] : [];
  });
  return Object.fromEntries(pairs);
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;

function readValue(text: string): Value {
  if (text === "true" || text === "false") return text === "true";
  if (NUMBER.test(text) && String(Number(text)) === text) return Number(text);
  return /^".*"$/.test(text) ? unquote(text) : text;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
