/* Names and values, one a line: headers, query parameters. Pure. */

type Pairs = Readonly<Record<string, string | null>>;

export function writePairs(pairs: Pairs, between: string): string {
  return Object.entries(pairs).map(([name, value]) => `${name}${between}${value ?? ""}`).join("\n");
}

/** What is half typed, without a name or what stands between, is not there yet. */
export function readPairs(text: string, between: string): Record<string, string> {
  const sign = between.trim();
  const pairs = text.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf(sign);
    const name = line.slice(0, at).trim();
    return at > 0 && name ? [[name, line.slice(at + sign.length).trim()]] : [];
  });
  return Object.fromEntries(pairs);
}
