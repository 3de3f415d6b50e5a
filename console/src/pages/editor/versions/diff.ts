/* What differs between two versions of an agent, as lines that were there and lines that are. Pure. */

export interface DiffLine {
  kind: "same" | "gone" | "new" | "cut";
  text: string;
}

export interface FieldDiff {
  field: string;
  lines: readonly DiffLine[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What the server says besides, and no version has. */
const BESIDES: ReadonlySet<string> = new Set([
  "id", "answeredBy", "llmIssues", "knowledgeIssues", "warnings", "criticalKnowledgeFiles", "phoneNumbers", "avatarPhotoUrl",
]);
const AROUND = 1;
const MOST_LINES = 1000;

/** The fields that differ, in their order in `after`. */
export function diffAgents(before: Fields, after: Fields): FieldDiff[] {
  return Object.keys({ ...after, ...before })
    .filter((field) => !BESIDES.has(field))
    .map((field) => ({ field, lines: cutSame(diffLines(readLines(before, field), readLines(after, field))) }))
    .filter(({ lines }) => lines.some(({ kind }) => kind !== "same" && kind !== "cut"));
}

/** An empty goodbye is no missing one: the agent hangs up without a word. */
const readLines = (fields: Fields, field: string) => (field === "endCallMessage" && fields[field] === "" ? ["(without a word)"] : linesOf(fields[field]));

/** A value as lines: of a list, an item each; of an object, a line for each value in it. */
export function linesOf(value: unknown, name = ""): string[] {
  const begin = name && `${name}: `;
  if (value === null || value === undefined || value === "") return [];
  if (typeof value === "boolean") return [`${begin}${value ? "yes" : "no"}`];
  if (Array.isArray(value)) return value.flatMap((each, n) => linesOf(each, isPlain(each) ? name : `${name && `${name} `}${n + 1}`));
  if (typeof value === "object") return Object.entries(value).flatMap(([key, each]) => linesOf(each, name ? `${name}.${key}` : key));
  return `${begin}${String(value)}`.split("\n");
}

const isPlain = (value: unknown) => value === null || typeof value !== "object";

/** The least change that makes `after` of `before`, line by line. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  if (before.length * after.length > MOST_LINES ** 2) return [...say("gone", before), ...say("new", after)];
  const common = measureCommon(before, after);
  const lines: DiffLine[] = [];
  let [b, a] = [0, 0];
  while (b < before.length && a < after.length) {
    if (before[b] === after[a]) {
      lines.push({ kind: "same", text: after[a] ?? "" });
      [b, a] = [b + 1, a + 1];
    } else if ((common[b + 1]?.[a] ?? 0) >= (common[b]?.[a + 1] ?? 0)) lines.push({ kind: "gone", text: before[b++] ?? "" });
    else lines.push({ kind: "new", text: after[a++] ?? "" });
  }
  return [...lines, ...say("gone", before.slice(b)), ...say("new", after.slice(a))];
}

const say = (kind: DiffLine["kind"], lines: readonly string[]): DiffLine[] => lines.map((text) => ({ kind, text }));

/** The length of the longest common rest, from each place of both. */
function measureCommon(before: readonly string[], after: readonly string[]): number[][] {
  const common = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let b = before.length - 1; b >= 0; b--) {
    const [row, below] = [common[b] ?? [], common[b + 1] ?? []];
    for (let a = after.length - 1; a >= 0; a--) row[a] = before[b] === after[a] ? (below[a + 1] ?? 0) + 1 : Math.max(below[a] ?? 0, row[a + 1] ?? 0);
  }
  return common;
}

/** Leaves of what stayed as it was only the lines beside what did not. */
function cutSame(lines: readonly DiffLine[]): DiffLine[] {
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ kind }) => kind !== "same"));
  return lines.flatMap((line, at): DiffLine[] => {
    if (isNear[at]) return [line];
    return at === 0 || isNear[at - 1] ? [{ kind: "cut", text: "…" }] : [];
  });
}
