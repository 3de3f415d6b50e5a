/* What stands around the forms of those who are not signed in yet. */

import { useEffect, type ReactNode } from "react";

import styles from "./sign-in.module.css";

export function DoorPage({ title, note, children }: { title: string; note: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Sayso`;
  }, [title]);
  return (
    <main className={styles.door}>
      <div className={styles.brand}><img src="/static/icon.svg" alt="" width="32" height="32" />Sayso</div>
      <div className={styles.card}>
        <h1>{title}</h1>
        {children}
      </div>
      <p className={styles.note}>{note}</p>
    </main>
  );
}
