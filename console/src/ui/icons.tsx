/* Line icons, 20 units wide, drawn here: no font and no picture is fetched. Decoration only. */

const PATHS = {
  talk: "M10 3v8m-3-5v3m6-3v3M4 8v0m12 0v0M5.5 13.5a6 6 0 0 0 9 0",
  home: "m3 9 7-6 7 6v8h-5v-5H8v5H3Z",
  agents: "M4 12V9.500a6 6 0 0 1 12 0V12m-12-.500h2.500v4.500H5a1 1 0 0 1-1-1Zm12 0h-2.500v4.500H15a1 1 0 0 0 1-1Zm-2 4.500c0 1-1.500 1.500-3 1.500",
  conversations: "M3 5h14v9H9l-4 3v-3H3Z",
  analytics: "M4 16V9m4 7V4m4 12v-5m4 5V7",
  functions: "M11 3 5 11h4l-1 6 6-8h-4Z",
  keys: "M12.500 7.500a3.500 3.500 0 1 0-3 3.460V13h2v2h2v2h3v-3l-4.500-4.500",
  account: "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-6 7c.5-3 3-5 6-5s5.500 2 6 5",
  docs: "M5 3h7l3 3v11H5ZM8 9h4m-4 3h4",
  search: "M9 14A5 5 0 1 0 9 4a5 5 0 0 0 0 10Zm4-1 4 4",
  plus: "M10 4v12M4 10h12",
  copy: "M7 7V3h10v10h-4M3 7h10v10H3Z",
  check: "m4 10 4 4 8-9",
  cross: "m5 5 10 10M15 5 5 15",
  more: "M4 11a1 1 0 1 0 0-2 1 1 0 0 0 0 2Zm6 0a1 1 0 1 0 0-2 1 1 0 0 0 0 2Zm6 0a1 1 0 1 0 0-2 1 1 0 0 0 0 2Z",
  menu: "M3 6h14M3 10h14M3 14h14",
  play: "M6 4v12l10-6Z",
  pause: "M7 4v12m6-12v12",
  down: "m5 8 5 5 5-5",
  warning: "M10 3 2.500 16.500h15ZM10 8v4m0 2.500v0",
  out: "M8 4H4v12h4m4-9 4 3-4 3m4-3H8",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0-10v1.500M10 15.500V17M3 10h1.500m11 0H17M5 5l1 1m8 8 1 1M5 15l1-1m8-8 1-1",
  good: "M7 9v8H3V9Zm0 0 3-6c1.500 0 2 1 2 2v3h4.500l-1 7.500a1.500 1.500 0 0 1-1.500 1.500H7",
  bad: "M7 11V3H3v8Zm0 0 3 6c1.500 0 2-1 2-2v-3h4.500l-1-7.500A1.500 1.500 0 0 0 14 3H7",
  up: "m5 12 5-5 5 5",
  trash: "M4 6h12M8 6V4h4v2m-6 0 .5 10h7L14 6",
  edit: "m4 16 .5-3.500L13 4l3 3-8.500 8.500Zm7.500-10.500 3 3",
  download: "M10 3v9m-3-3 3 3 3-3M4 13v3h12v-3",
  again: "M16 10a6 6 0 1 1-2-4.500V3m0 2.500h-3",
  duplicate: "M7 7V3h10v10h-4M3 7h10v10H3Zm5 2.500v5m-2.500-2.500h5",
  share: "M10 12V3m-3 3 3-3 3 3M5 10v6h10v-6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 20 20" width={size} height={size} fill="none" stroke="currentColor"
      strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
