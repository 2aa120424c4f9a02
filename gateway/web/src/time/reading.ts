// What is asked of the server: a board as it was, and parts of its log.

import type { Entity } from "@snapback/client";

import { lines, type Decision } from "../history/log.js";
import { of, request } from "../session.js";

/** A board as it was. */
export interface Snapshot {
  /** The rev behind the decision that made the rev which was asked for. */
  readonly rev: number;
  /** When that was. */
  readonly at?: string;
  readonly entities: readonly Entity[];
}

export async function boardAt(board: string, rev: number, signal: AbortSignal): Promise<Snapshot> {
  const url = of(board);
  url.searchParams.set("rev", String(rev));
  return (await (await request(url, { signal })).json()) as Snapshot;
}

/** What of the log is asked for: decisions that are all of this. */
export interface Wanted {
  /** With a higher rev. */
  readonly since?: number;
  /** With no higher rev. */
  readonly until?: number;
  readonly actor?: string | undefined;
  readonly outcome?: "refused" | undefined;
  /** The newest so many of these. */
  readonly last?: number;
}

/** Reads decisions in the order of the log, all that are wanted, or until `enough` says so: of what is left nothing is asked. */
export async function decisions(
  board: string, wanted: Wanted, signal: AbortSignal, enough: (read: readonly Decision[]) => boolean = () => false,
): Promise<readonly Decision[]> {
  const url = of(board, "log");
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) url.searchParams.set(name, String(value));
  const stop = new AbortController();
  const { body } = await request(url, { signal: AbortSignal.any([signal, stop.signal]) });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  const read: Decision[] = [];
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return read;
    const got = lines(rest + value);
    rest = got.rest;
    read.push(...got.decisions);
    if (!enough(read)) continue;
    stop.abort();
    return read;
  }
}
