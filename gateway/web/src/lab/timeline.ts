// Every mutation of this window from its making to its verdict, as the lab shows it.

import { signal, type ReadonlySignal } from "@preact/signals";

import type { Change, Store } from "@snapback/client";

export interface Run {
  readonly id: string;
  /** What it changes, in words, as it was made. */
  readonly what: string;
  /** Milliseconds of the page's clock. */
  readonly madeAt: number;
  readonly sentAt?: number;
  readonly endedAt?: number;
  /** Absent while there is no verdict; "" is an ack, else the nack's code. */
  readonly code?: string;
  /** The rev it was acked with. */
  readonly rev?: number;
}

/** How many are kept. */
const most = 200;

export interface Timeline {
  /** Newest first. */
  readonly runs: ReadonlySignal<readonly Run[]>;
  clear(): void;
  close(): void;
}

/** Records from now on. */
export function timeline(store: Store, describe: (changes: readonly Change[]) => string, now: () => number = () => performance.now()): Timeline {
  const runs = signal<readonly Run[]>([]);
  const change = (id: string, more: Partial<Run>) => {
    runs.value = runs.value.map((run) => (run.id === id ? { ...run, ...more } : run));
  };
  const hooks = {
    made: ({ id, changes }: { readonly id: string; readonly changes: readonly Change[] }) => {
      runs.value = [{ id, what: describe(changes), madeAt: now() }, ...runs.value].slice(0, most);
    },
    sending: ({ id }: { readonly id: string }) => change(id, { sentAt: now() }),
    concluded: ({ id }: { readonly id: string }, verdict: { readonly ok: boolean; readonly code?: string; readonly rev?: number }) => change(id, {
      endedAt: now(), code: verdict.ok ? "" : verdict.code ?? "", ...(verdict.rev !== undefined && { rev: verdict.rev }),
    }),
  };
  store.engine.hooks.add(hooks);
  return {
    runs,
    clear: () => (runs.value = runs.value.filter((run) => run.code === undefined)),
    close: () => store.engine.hooks.delete(hooks),
  };
}

/** How long what is shown at once may lie back, in milliseconds. */
const span = 12_000;

/** The stretch of time in which these runs are drawn: from the first of them, at most `span` back, to the last verdict or now. */
export function stretch(runs: readonly Run[], now: number): { readonly from: number; readonly to: number } {
  const to = runs.some((run) => run.endedAt === undefined) ? now : Math.max(0, ...runs.map((run) => run.endedAt!));
  const from = Math.max(to - span, Math.min(to - 1000, ...runs.map((run) => run.madeAt)));
  return { from, to };
}

/** Where a run lies in the stretch: start and length, each from 0 to 1. */
export function bar({ madeAt, endedAt }: Run, { from, to }: { readonly from: number; readonly to: number }): { readonly start: number; readonly length: number } {
  const at = (time: number) => Math.min(1, Math.max(0, (time - from) / (to - from)));
  const start = at(madeAt);
  return { start, length: at(endedAt ?? to) - start };
}
