/* Parts of one thing, each with an address of its own, so that it can be linked and gone back to. */

import { useEffect, useRef } from "react";
import { Link } from "wouter";

import styles from "./tabs.module.css";

export interface Tab {
  name: string;
  href: string;
  isCurrent: boolean;
}

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const nav = useRef<HTMLElement>(null);
  const current = tabs.find(({ isCurrent }) => isCurrent)?.href;
  useEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>("[aria-current]");
    if (link && nav.current) nav.current.scrollLeft = link.offsetLeft - (nav.current.clientWidth - link.offsetWidth) / 2; // on phones not all fit
  }, [current]);
  return (
    <nav ref={nav} className={styles.tabs} aria-label={label}>
      {tabs.map(({ name, href, isCurrent }) => (
        <Link key={name} href={href} className={styles.tab} aria-current={isCurrent ? "page" : undefined}>{name}</Link>
      ))}
    </nav>
  );
}
