/* An agent's picture, or its first letter. */

import styles from "./avatar.module.css";

/** The server names itself as it is reached by most; this page may have come by another name. */
function onThisHost(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

export function Avatar({ name, url }: { name: string; url: string | null }) {
  return <span className={styles.avatar} aria-hidden="true">{url ? <img src={onThisHost(url)} alt="" /> : (name.trim()[0] ?? "?").toUpperCase()}</span>;
}
