/* Parts of one thing, each with an address of its own, so that it can be linked and gone back to. */

import { Link } from "wouter";

import styles from "./tabs.module.css";

export interface Tab {
  name: string;
  href: string;
  isCurrent: boolean;
}

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {tabs.map(({ name, href, isCurrent }) => (
        <Link key={name} href={href} className={styles.tab} aria-current={isCurrent ? "page" : undefined}>{name}</Link>
      ))}
    </nav>
  );
}
