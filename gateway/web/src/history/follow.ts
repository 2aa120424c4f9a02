// The log of a board, read and followed as long as somebody looks at it.

import { of, Problem, request } from "../session.js";
import { lines, type Decision } from "./log.js";

/** How much of the past is asked for: the newest so many decisions, then more of them, then all (0). */
export const steps: readonly number[] = [50, 200, 1000, 0];

export interface Follower {
  /** The decisions that have come, oldest first; the same array grows no more once it was given. */
  read(decisions: readonly Decision[]): void;
  /** The past is there; what comes now is new. */
  caughtUp(): void;
  /** It ended: the connection broke, or the server would not answer. */
  ended(why: Problem): void;
}

/** After so long without another line, milliseconds, what there was is taken to have come. */
const quiet = 250;

/** Reads the newest `last` decisions about an entity ("" is all of the board), and those to come. Gives what ends it. */
export function follow(board: string, entity: string, last: number, to: Follower): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => to.caughtUp(), quiet);
  };
  const url = of(board, "log");
  if (entity) url.searchParams.set("entity", entity);
  if (last) url.searchParams.set("last", String(last));
  url.searchParams.set("follow", "1");
  const run = async () => {
    const { body } = await request(url, { signal: stop.signal });
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    soon();
    for (let rest = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) throw new Problem("offline", 0, {});
      const got = lines(rest + value);
      rest = got.rest;
      if (got.decisions.length) to.read(got.decisions);
      soon();
    }
  };
  run().catch((error: unknown) => {
    clearTimeout(timer);
    if (!stop.signal.aborted) to.ended(error instanceof Problem ? error : new Problem("offline", 0, {}));
  });
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}
