// When something is due: how it stands, and to and from what date and time inputs hold.

import { instant, isDay } from "../words/dates.js";

/** How long before its end something is due soon, in milliseconds. */
const soon = 24 * 60 * 60 * 1000;

export type DueState = "done" | "overdue" | "soon" | "later";

/** How a due date stands at a time; a day is over at its end. */
export function dueState(due: string, done: string | undefined, now: number): DueState {
  if (done) return "done";
  const left = instant(due).getTime() - now;
  return left < 0 ? "overdue" : left < soon ? "soon" : "later";
}

/** What the two inputs hold, in the reader's zone. */
export interface DayAndClock {
  /** 2026-03-01, or empty. */
  readonly day: string;
  /** 14:30, or empty: a whole day. */
  readonly clock: string;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function toInputs(value: string | undefined): DayAndClock {
  if (!value) return { day: "", clock: "" };
  if (isDay(value)) return { day: value, clock: "" };
  const at = new Date(value);
  const year = String(at.getFullYear()).padStart(4, "0");
  return { day: `${year}-${two(at.getMonth() + 1)}-${two(at.getDate())}`, clock: `${two(at.getHours())}:${two(at.getMinutes())}` };
}

/** What the inputs mean: a day, a time in UTC, or null for nothing. */
export function fromInputs({ day, clock }: DayAndClock): string | null {
  if (!day) return null;
  if (!clock) return day;
  const at = new Date(`${day}T${clock}`);
  return Number.isNaN(at.getTime()) ? day : inUTC(at);
}

/** A time as it is stored, to the second. */
export const inUTC = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, "Z");
