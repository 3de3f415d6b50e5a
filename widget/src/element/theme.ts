/* Light or dark, as asked, or as the reader's system is. */

export type Theme = "light" | "dark" | "auto";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Keeps the class `dark` of `element` right; gives what stops it. */
export function keepTheme(element: HTMLElement, theme: Theme): () => void {
  const apply = () =>
    element.classList.toggle("dark", theme === "dark" || (theme === "auto" && dark.matches));
  apply();
  dark.addEventListener("change", apply);
  return () => dark.removeEventListener("change", apply);
}

/** A text colour that is readable on `colour`, if that is written as #rrggbb; null otherwise. */
export function inkOn(colour: string): string | null {
  const [, ...parts] = /^#(..)(..)(..)$/.exec(colour.trim()) ?? [];
  if (parts.length !== 3) return null;
  const [red, green, blue] = parts.map((part) => linear(parseInt(part, 16) / 255));
  const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  // The better of white (1.05 / (L + .05)) and near-black ((L + .05) / .06), by WCAG's contrast.
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.06 ? "#fff" : "#111";
}

function linear(share: number): number {
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}
