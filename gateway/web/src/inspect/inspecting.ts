// How the store stands, as a person reads it.

import type { Change, Inspection, Mutation } from "@snapback/client";

import { duration } from "../words/dates.js";
import { say, type Key } from "../words/words.js";

export interface Waiting {
  readonly id: string;
  readonly what: string;
  readonly state: string;
  readonly tone: "wait" | "bad";
  readonly age: string;
  /** Until when it takes effect or never does; undefined if it was not sent yet. */
  readonly deadline: string | undefined;
}

export interface Over {
  readonly id: string;
  readonly what: string;
  readonly verdict: string;
  readonly ok: boolean;
  readonly took: string;
}

/** How the rows find their words. */
export interface Speaking {
  /** By the server's clock, milliseconds since 1970. */
  readonly now: number;
  describe(changes: readonly Change[]): string;
  why(verdict: { readonly code: string; readonly details: { readonly [name: string]: unknown } }, changes: readonly Change[]): string;
  deadline(id: string): string | undefined;
}

/** The rows that are drawn of what waits. */
export const mostWaiting = 100;

export function waiting({ pending }: Pick<Inspection, "pending">, { now, describe, deadline }: Speaking): readonly Waiting[] {
  return pending.slice(0, mostWaiting).map(({ id, changes, state, madeAt }: Mutation) => {
    const until = deadline(id);
    const left = until === undefined ? undefined : Date.parse(until) - now;
    return {
      id, what: describe(changes), state: say(`inspect.state.${state}` as Key), tone: state === "unconfirmed" ? "bad" : "wait",
      age: say("inspect.age", { time: duration(now - madeAt) }),
      deadline: left === undefined ? undefined : say(left > 0 ? "inspect.deadline" : "inspect.overdue", { time: duration(Math.abs(left)) }),
    };
  });
}

/** Newest first. */
export function over({ verdicts }: Pick<Inspection, "verdicts">, { describe, why }: Speaking): readonly Over[] {
  return verdicts.map(({ id, changes, verdict, tookMs }): Over => ({
    id, what: describe(changes), ok: verdict.ok, took: duration(tookMs),
    verdict: verdict.ok
      ? verdict.events ? say("inspect.accepted", { rev: verdict.rev }) : say("inspect.nothing", { rev: verdict.rev })
      : say("inspect.refused", { why: why(verdict, changes), code: verdict.code }),
  })).reverse();
}

export interface Sums {
  readonly accepted: number;
  readonly refused: number;
  /** By code, the most frequent first. */
  readonly codes: readonly (readonly [code: string, count: number])[];
  /** The middle one of the accepted ones' times, milliseconds. */
  readonly median: number | undefined;
}

export function sums({ verdicts }: Pick<Inspection, "verdicts">): Sums {
  const codes = new Map<string, number>();
  const times: number[] = [];
  for (const { verdict, tookMs } of verdicts) {
    if (verdict.ok) times.push(tookMs);
    else codes.set(verdict.code, (codes.get(verdict.code) ?? 0) + 1);
  }
  times.sort((a, b) => a - b);
  return {
    accepted: times.length, refused: verdicts.length - times.length, median: times[times.length >> 1],
    codes: [...codes].sort((a, b) => b[1] - a[1]),
  };
}
