/* Text to take away: a button that copies, and code with such a button. */

import { useEffect, useState } from "react";

import { Button } from "./button";
import styles from "./copy.module.css";
import { writeCurl, type Request } from "./curl";
import { Icon } from "./icons";

const SHOWN_MS = 1500;

/** Copies `text`; says so for a moment, and says when the browser forbids it. */
export function CopyButton({ text, label = "Copy", bare = false }: { text: string; label?: string; bare?: boolean }) {
  const [state, setState] = useState<"" | "Copied" | "Not copied">("");
  useEffect(() => {
    if (!state) return undefined;
    const timer = setTimeout(() => setState(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => copyText(text).then(() => setState("Copied"), () => setState("Not copied"));
  return (
    <Button small kind="quiet" square={bare} aria-label={bare ? state || label : undefined} title={label} onClick={copy}>
      <Icon name={state === "Copied" ? "check" : "copy"} size={16} />
      {!bare && (state || label)}
      <span className="unseen" role="status">{state}</span>
    </Button>
  );
}

/** Throws where the browser forbids it. `navigator.clipboard` is there in secure contexts only; a server in the house is none. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("the browser did not copy");
}

/** Code as it is to be pasted. `wrap`: long lines go on below instead of out of sight. */
export function Code({ code, title, wrap }: { code: string; title?: string; wrap?: boolean }) {
  return (
    <figure className={styles.code} data-wrap={wrap || undefined}>
      {title && <figcaption className={styles.title}>{title}</figcaption>}
      <pre tabIndex={0} aria-label={title ?? "Code"}>{code}</pre>
      <CopyButton text={code} bare />
    </figure>
  );
}

/** The same action by REST. */
export function Curl({ title = "The same by REST", ...request }: Request & { title?: string }) {
  return <Code wrap title={title} code={writeCurl(request, location.origin)} />;
}
