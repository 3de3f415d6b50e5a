/* Times and amounts as people read them. */

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
/** Each unit, its seconds, and from how many on it is used: 59.6 minutes are an hour, not 60 minutes. */
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number, number])[] = [
  ["day", 86_400, 84_600], ["hour", 3600, 3570], ["minute", 60, 59.5], ["second", 1, 0],
];
const WEEK_S = 7 * 86_400;

export const showDay = (iso: string): string => DAY.format(new Date(iso));
export const showMoment = (iso: string): string => MOMENT.format(new Date(iso));

/** "3 minutes ago"; the day, if it is more than a week ago. */
export function showAgo(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Math.abs(seconds) > WEEK_S) return showDay(iso);
  const [unit, size] = STEPS.find(([, , from]) => Math.abs(seconds) >= from) ?? ["second", 1];
  return AGO.format(Math.round(seconds / size) || 0, unit);
}

/** 83.4 s as "1:23". */
export function showLength(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** 1234 ms as "1.23 s", 480 ms as "480 ms". */
export const showMs = (ms: number): string => (Math.round(ms) >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms)} ms`);

/** "1 page", "2 pages". */
export const showCount = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;

export function showBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 999_500 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
