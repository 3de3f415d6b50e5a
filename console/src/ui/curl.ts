/* A request as it is typed into a shell. Pure. */

export interface Request {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  /** A field of a form instead of a JSON body. */
  form?: string;
}

/** A longer body stands on several lines. */
const MOST_CHARS = 60;

/** `key` as it stands in the shell; without one, the variable that guides use. */
export function writeCurl({ method = "GET", path, body, form }: Request, server: string, key = "$SAYSO_API_KEY"): string {
  const url = `${server}${path}`;
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${/[?&*]/.test(url) ? quote(url) : url}`, `-H "Authorization: Bearer ${key}"`];
  if (form) lines.push(`-F ${quote(form)}`);
  if (body !== undefined) {
    lines.push(`-H "Content-Type: application/json"`);
    const short = JSON.stringify(body);
    lines.push(`-d ${quote(short.length > MOST_CHARS ? JSON.stringify(body, null, 2) : short)}`);
  }
  return lines.join(" \\\n  ");
}

/** In a shell nothing is read within single quotes; one of them ends there. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
