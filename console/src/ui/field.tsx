/* A labelled control with a note and an error, tied together for screen readers. */

import { useId, type ComponentProps, type ReactNode } from "react";

import styles from "./field.module.css";

interface About {
  label: ReactNode;
  /** What it is for, below the control. */
  note?: ReactNode;
  /** What is wrong with it, as a sentence. */
  error?: string | undefined;
  /** The label is read by screen readers only. */
  unlabelled?: boolean;
  /** Codes, addresses, JSON. */
  mono?: boolean;
}

type Control = { id: string; className: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };

function Labelled({ label, note, error, unlabelled, mono, children }: About & { children: (control: Control) => ReactNode }) {
  const id = useId();
  const about = [note && `${id}-note`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label className={unlabelled ? "unseen" : styles.label} htmlFor={id}>{label}</label>
      {children({
        id,
        className: [styles.input, mono && styles.mono].filter(Boolean).join(" "),
        "aria-describedby": about || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {note && <p className={styles.note} id={`${id}-note`}>{note}</p>}
      {error && <p className={styles.error} id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}

function parts<Props extends About>({ label, note, error, unlabelled, mono, ...rest }: Props) {
  return { about: { label, note, error, ...(unlabelled && { unlabelled }), ...(mono && { mono }) }, rest };
}

export function TextField(props: About & ComponentProps<"input">) {
  const { about, rest } = parts(props);
  return <Labelled {...about}>{(control) => <input autoComplete="off" {...rest} {...control} />}</Labelled>;
}

export function TextArea(props: About & ComponentProps<"textarea">) {
  const { about, rest } = parts(props);
  const rows = rest.rows ?? 4;
  return <Labelled {...about}>{(control) => <textarea rows={rows} {...rest} {...control} style={{ minHeight: `calc(${rows * LINE_EM}em + 1.25rem)` }} />}</Labelled>;
}

/** The height of a line; `rows` counts for nothing where a text makes its own room. */
const LINE_EM = 1.5;

/** A native select: it is the most accessible, and phones show their own. */
export function SelectField(props: About & ComponentProps<"select">) {
  const { about, rest } = parts(props);
  return <Labelled {...about}>{(control) => <select {...rest} {...control} />}</Labelled>;
}

export function Toggle({ label, note, ...rest }: { label: ReactNode; note?: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <label className={styles.toggle}>
      <input {...rest} type="checkbox" role="switch" aria-labelledby={`${id}-label`} aria-describedby={note ? `${id}-note` : undefined} />
      <span id={`${id}-label`}>{label}</span>
      {note && <span className={styles.note} id={`${id}-note`}>{note}</span>}
    </label>
  );
}
