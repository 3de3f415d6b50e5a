/* Has the browser save a file. */

/** Saves what is at `href` as `name`. */
export function saveFrom(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}

/** Saves `content` as JSON. */
export function saveJson(content: unknown, name: string): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  saveFrom(url, name);
  URL.revokeObjectURL(url);
}
