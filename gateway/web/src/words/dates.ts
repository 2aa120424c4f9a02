// Times in words. A due date is a time, or a whole day in the reader's zone (DOMAIN.md).

import { locale } from "./words.js";

const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** Is it a whole day (2026-03-01) and no time? */
export const isDay = (value: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(value);

/** The time a due date means: a day ends with itself, in the reader's zone. */
export function instant(value: string): Date {
  const [y, m, d] = value.split("-").map(Number) as [number, number, number];
  return isDay(value) ? new Date(y, m - 1, d, 23, 59, 59, 999) : new Date(value);
}

const formatOf = (when: Date) => (when.getFullYear() === new Date().getFullYear() ? day : dayOfYear);

/** 3 Mar, 3 Mar 2025. */
const onDay = (value: string): string => formatOf(instant(value)).format(instant(value));

/** 3 Mar, or 3 Mar 14:30 of what is no whole day. */
export const onTime = (value: string): string => (isDay(value) ? onDay(value) : `${onDay(value)} ${clock.format(instant(value))}`);

/** To the second, for titles. */
export const exactly = (value: string): string => (isDay(value) ? dayOfYear.format(instant(value)) : full.format(instant(value)));

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60], ["minute", 60], ["hour", 24], ["day", 7], ["week", 4.35], ["month", 12], ["year", Infinity],
];

/** 5 minutes ago, in 2 hours, yesterday. */
export function ago(value: string | number, now = Date.now()): string {
  let n = (new Date(value).getTime() - now) / 1000;
  for (const [unit, most] of steps) {
    if (Math.abs(n) < most) return relative.format(Math.round(n), unit);
    n /= most;
  }
  return "";
}

const milliseconds = new Intl.NumberFormat(locale, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });
const seconds = new Intl.NumberFormat(locale, { style: "unit", unit: "second", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const minutes = new Intl.NumberFormat(locale, { style: "unit", unit: "minute", maximumFractionDigits: 0 });

/** 12 ms, 3.4 sec, 5 min. */
export function duration(ms: number): string {
  if (ms < 1000) return milliseconds.format(Math.max(0, Math.round(ms)));
  return ms < 120_000 ? seconds.format(ms / 1000) : minutes.format(Math.round(ms / 60_000));
}

const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** 1.4 MB. */
export function size(bytes: number): string {
  let n = bytes;
  let at = 0;
  for (; n >= 1000 && at < units.length - 1; at++) n /= 1000;
  const digits = n < 10 && at ? 1 : 0;
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[at]!, unitDisplay: at ? "short" : "long", maximumFractionDigits: digits }).format(n);
}
