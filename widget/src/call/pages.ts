/* Pages that an agent may lead to. */

/** Whether `url`, seen from `here`, is a page: what has another scheme may run as a script. */
export function isPage(url: string, here: string): boolean {
  try {
    return /^https?:$/.test(new URL(url, here).protocol);
  } catch {
    return false;
  }
}
