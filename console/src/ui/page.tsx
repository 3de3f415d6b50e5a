/* The parts every page is made of: its head, cards, notices, badges, and what an empty one says. */

import { useEffect, type ReactNode } from "react";

import { ApiError, asSentence } from "../api/client";
import styles from "./page.module.css";

interface PageProps {
  title: string;
  /** One line below the title. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: names itself in the browser's title too. */
export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Sayso`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1>{title}</h1>
          {lead && <p className={styles.lead}>{lead}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** `title` makes it a section with a heading, `side` puts that beside the content where there is room; `flush` leaves the edges to the content. */
export function Card({ title, aside, flush, side, children }: { title?: string; aside?: ReactNode; flush?: boolean; side?: boolean; children: ReactNode }) {
  if (side) {
    return (
      <section className={`${styles.card} ${styles.side}`} aria-label={title}>
        <div className={styles.cardHead}><h2>{title}</h2>{aside}</div>
        <div className={styles.cardBody}>{children}</div>
      </section>
    );
  }
  const classes = [styles.card, flush ? styles.flush : styles.padded].join(" ");
  const body = (
    <>
      {title && <div className={styles.cardHead}><h2>{title}</h2>{aside}</div>}
      {children}
    </>
  );
  return title ? <section className={classes} aria-label={title}>{body}</section> : <div className={classes}>{body}</div>;
}

/** What a page without anything on it says: what to do next. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return <section className={styles.empty}><h2>{title}</h2>{children}</section>;
}

export function Notice({ kind = "danger", children }: { kind?: "danger" | "warning" | "good" | "calm"; children: ReactNode }) {
  const classes = [styles.notice, kind !== "danger" && styles[kind]].filter(Boolean).join(" ");
  return <div className={classes} role={kind === "danger" ? "alert" : "status"}>{children}</div>;
}

/** What went wrong, and what to do about it. */
export function Failure({ error }: { error: unknown }) {
  if (!error) return null;
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError ? error.hint : "";
  return <Notice><p><Prose text={asSentence(message)} /></p>{hint && <p><Prose text={hint} /></p>}</Notice>;
}

/** A sentence of the server, with `commands` set as code. */
function Prose({ text }: { text: string }) {
  return text.split("`").map((part, n) => (n % 2 ? <code key={n}>{part}</code> : part));
}

export function Badge({ kind, children }: { kind?: "accent" | "warning" | "danger" | "good"; children: ReactNode }) {
  return <span className={[styles.badge, kind && styles[kind]].filter(Boolean).join(" ")}>{children}</span>;
}

/** Small things in one line. */
export function Beside({ children }: { children: ReactNode }) {
  return <div className={styles.beside}>{children}</div>;
}

/** What stands where something will be in a moment. */
export function Waiting({ what }: { what: string }) {
  return <p className={styles.waiting} role="status">{what}</p>;
}
