/* An agent's picture, or its first letter. */

import styles from "./avatar.module.css";

export function Avatar({ name, url }: { name: string; url: string | null }) {
  return <span className={styles.avatar} aria-hidden="true">{url ? <img src={url} alt="" /> : (name.trim()[0] ?? "?").toUpperCase()}</span>;
}
