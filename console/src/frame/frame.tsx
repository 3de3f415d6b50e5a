/* What stands around every page: where one can go, and who is signed in. */

import { useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { useSession, useSignOut } from "../session/session";
import { Boundary } from "../ui/boundary";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Icon, type IconName } from "../ui/icons";
import styles from "./frame.module.css";
import { GOES_TO, useKeys } from "./keys";
import { applyTheme, readTheme, type Theme } from "./theme";

const PLACES: readonly (readonly [string, string, IconName])[] = [
  ["Home", "/", "home"],
  ["Agents", "/my-agents", "agents"],
  ["Conversations", "/conversations", "conversations"],
  ["Analytics", "/analytics", "analytics"],
  ["Functions", "/functions", "functions"],
  ["API keys", "/developers", "keys"],
];
const NEXT_THEME: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

export function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLButtonElement>(null);
  const [showsKeys, setShowsKeys] = useState(false);
  useKeys(() => setShowsKeys(true));
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    menu.current?.focus();
  };
  const isHere = (path: string) => (path === "/" ? location === "/" : location.startsWith(path));
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#content">Skip to the content</a>
      <header className={styles.rail} data-open={isOpen || undefined} onKeyDown={leave}>
        <div className={styles.row}>
          <Link href="/" className={styles.brand}>
            <img src="/static/icon.svg" alt="" width="22" height="22" />
            Sayso
          </Link>
          <Button ref={menu} kind="quiet" square className={styles.menuButton} aria-label="Menu" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <Icon name={isOpen ? "cross" : "menu"} />
          </Button>
        </div>
        <nav className={styles.places} aria-label="Console" onClick={() => setOpen(false)}>
          {PLACES.map(([name, path, icon]) => (
            <Link key={path} href={path} className={styles.place} aria-current={isHere(path) ? "page" : undefined}>
              <Icon name={icon} />
              {name}
            </Link>
          ))}
        </nav>
        <Foot onKeys={() => setShowsKeys(true)} onGo={() => setOpen(false)} isHere={isHere} />
      </header>
      <main id="content" className={styles.content} tabIndex={-1}><Boundary at={location}>{children}</Boundary></main>
      <KeysHelp isOpen={showsKeys} onClose={() => setShowsKeys(false)} />
    </div>
  );
}

function Foot({ onKeys, onGo, isHere }: { onKeys: () => void; onGo: () => void; isHere: (path: string) => boolean }) {
  const session = useSession();
  const signOut = useSignOut();
  const [theme, setTheme] = useState(readTheme);
  const turn = () => {
    const next = NEXT_THEME[theme];
    applyTheme(next);
    setTheme(next);
  };
  return (
    <div className={styles.foot}>
      <a className={styles.place} href="/docs"><Icon name="docs" />API reference</a>
      <Link href="/account" className={styles.place} aria-current={isHere("/account") ? "page" : undefined} onClick={onGo}>
        <Icon name="account" />
        {session.data?.name || session.data?.email || "Account"}
      </Link>
      <div className={styles.row}>
        <Button kind="quiet" square aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`} onClick={turn}><Icon name="sun" /></Button>
        <Button kind="quiet" square aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={onKeys}><kbd>?</kbd></Button>
        <Button kind="quiet" square aria-label="Sign out" title="Sign out" busy={signOut.isPending} onClick={() => signOut.mutate()}><Icon name="out" /></Button>
      </div>
    </div>
  );
}

function KeysHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" isOpen={isOpen} onClose={onClose} foot={<Button onClick={onClose}>Close</Button>}>
      <ul className={styles.keys}>
        <li><span><kbd>/</kbd></span> Search on this page</li>
        {Object.entries(GOES_TO).map(([key, [name]]) => <li key={key}><span><kbd>g</kbd> <kbd>{key}</kbd></span> {name}</li>)}
        <li><span><kbd>Ctrl</kbd> <kbd>S</kbd></span> Save an agent's changes</li>
        <li><span><kbd>?</kbd></span> These shortcuts</li>
      </ul>
    </Dialog>
  );
}
