/* A request as it is typed into a shell. Pure. */

export interface Request {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  /** A field of a form instead of a JSON body. */
  form?: string;
}

/** `key` as it stands in the shell; without one, the variable that guides use. */
export function writeCurl({ method = "GET", path, body, form }: Request, server: string, key = "$SAYSO_API_KEY"): string {
  const url = `${server}${path}`;
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${/[?&*]/.test(url) ? quote(url) : url}`, `-H "Authorization: Bearer ${key}"`];
  if (form) lines.push(`-F ${quote(form)}`);
  if (body !== undefined) {
    lines.push(`-H "Content-Type: application/json"`);
    lines.push(`-d ${quote(JSON.stringify(body, null, 2))}`);
  }
  return lines.join(" \\\n  ");
}

/** In a shell nothing is read within single quotes; one of them ends there. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
