/* What is not saved yet, and the buttons that save it or let it go. Ctrl+S saves, too. */

import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";

import { Button } from "../../ui/button";
import { useHush, useSay } from "../../ui/toast";
import { useDraft } from "./draft";
import styles from "./editor.module.css";
import { nameField } from "./names";

export function SaveBar() {
  const draft = useDraft();
  const say = useSay();
  const hush = useHush();
  const changed = Object.keys(draft.changes);
  const isDirty = changed.length > 0;
  const save = async () => {
    if (draft.isSaving || !isDirty) return;
    hush(); // "Saved." beside a refusal would be about the time before
    const saved = await draft.save();
    if (saved) say(saved.warnings?.[0]?.message ? `Saved. ${saved.warnings[0].message}` : "Saved.");
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        void save();
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  if (!isDirty) return null;
  return (
    <Bar>
      <p>Not saved yet: {changed.map(nameField).join(", ")}</p>
      <div>
        <Button onClick={draft.discard}>Discard</Button>
        <Button kind="primary" busy={draft.isSaving} onClick={() => void save()}>{draft.isSaving ? "Saving…" : "Save"}</Button>
      </div>
    </Bar>
  );
}

/** Gives the keyboard back to the page when it goes, or whoever pressed its button would begin at the very top. */
function Bar({ children }: { children: ReactNode }) {
  const shown = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const bar = shown.current;
    return () => {
      if (bar?.contains(document.activeElement)) document.getElementById("content")?.focus({ preventScroll: true });
    };
  }, []);
  return <div ref={shown} className={styles.bar} role="region" aria-label="Unsaved changes">{children}</div>;
}
