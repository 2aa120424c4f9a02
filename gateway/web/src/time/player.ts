// Replays a board: where one stands, what of the log is at hand, and playing on by itself.
//
//   player ─┬─ going     to a moment: near by events, far away by asking for the board as it was
//           ├─ seeking   the next change to stop at, and more of the log around what is at hand
//           └─ rolling   from one to the next as time goes by

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import type { EntityChange } from "@snapback/client";

import type { Decision } from "../history/log.js";
import { Problem } from "../session.js";
import { everything, type Choice, type Spot, type Stretch } from "./film.js";
import { going } from "./going.js";
import { pastOf, type Past } from "./past.js";
import { decisions } from "./reading.js";
import { rolling } from "./rolling.js";
import { seeking } from "./seeking.js";

export const speeds = [1, 4, 16] as const;
export type Speed = (typeof speeds)[number];

/** What is known of a replay; its parts write it. */
export function standing(board: string, user: string) {
  const stretch = signal<Stretch>({ from: 0, to: 0, decisions: [] });
  /** The newest rev of the board. */
  const head = signal(0);
  return {
    board, user, stretch, head,
    past: pastOf(board, user),
    /** Where one is, or wants to be as soon as that is there. */
    spot: signal<Spot>({ rev: 0 }),
    /** Is it there? */
    state: signal<"loading" | "ready" | "failed">("loading"),
    /** Is the log asked for the next change to stop at? */
    searching: signal(false),
    failure: signal<Problem | undefined>(undefined),
    /** The index in the stretch of the decision one is at. */
    index: signal(-1),
    /** What the last step changed. */
    changed: signal<readonly EntityChange[]>([]),
    playing: signal(false),
    speed: signal<Speed>(1),
    choice: signal<Choice>(everything),
    /** Does the log go on behind the stretch? */
    hasLater: computed(() => stretch.value.to < head.value),
    /** Ends all that is under way. */
    life: new AbortController(),
  };
}

export type Standing = ReturnType<typeof standing>;

/** It did not come, unless nobody waits for it any more. */
export function fail({ life, failure, state, playing }: Standing, why: unknown, signal = life.signal): void {
  if (signal.aborted || life.signal.aborted) return;
  failure.value = why instanceof Problem ? why : new Problem("offline", 0, {});
  state.value = "failed";
  playing.value = false;
}

type Shown = "spot" | "state" | "searching" | "failure" | "stretch" | "index" | "changed" | "playing" | "speed" | "choice" | "hasLater";

export interface Player extends Readonly<{ [K in Shown]: ReadonlySignal<Standing[K]["value"]> }> {
  readonly past: Past;
  /** The newest refusals of the board, for marks. */
  readonly refusals: ReadonlySignal<readonly Decision[]>;
  go(to: Spot): Promise<void>;
  /** To the next decision to stop at; false if there is none. */
  step(way: 1 | -1): Promise<boolean>;
  /** More of the log. */
  earlier(): Promise<void>;
  later(): Promise<void>;
  play(): void;
  stop(): void;
  faster(speed: Speed): void;
  choose(choice: Choice): void;
  /** The newest rev of the board is this. */
  grown(head: number): void;
  close(): void;
}

export function player(board: string, user: string): Player {
  const s = standing(board, user);
  const { go, lay } = going(s);
  const seek = seeking(s, go, lay);
  const roll = rolling(s, seek.step);
  const refusals = signal<readonly Decision[]>([]);
  const mark = async () => {
    refusals.value = await decisions(board, { last: 1000, outcome: "refused" }, s.life.signal);
  };
  void mark().catch(() => {}); // then there are no marks
  return {
    ...s, ...seek, ...roll, go, refusals,
    choose: (to) => void (s.choice.value = to),
    grown: (to) => void (s.head.value = Math.max(s.head.value, to)),
    close() {
      roll.stop();
      s.life.abort();
    },
  };
}
