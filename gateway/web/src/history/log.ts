// The log of a board as GET /v1/boards/{board}/log tells it: a decision a line.

import type { Change } from "@snapback/client";

type Fields = { readonly [name: string]: unknown };

/** An accepted fact about one entity. */
export interface Event {
  /** card.moved */
  readonly type: string;
  readonly rev: number;
  readonly entityId: string;
  /** Of list.respaced: whose places. */
  readonly kind?: string;
  /** Each changed field; null was absent. A created entity has only `after`, a deleted one neither. */
  readonly before?: Fields;
  readonly after?: Fields;
  /** Of sets. */
  readonly added?: { readonly [name: string]: readonly string[] };
  readonly removed?: { readonly [name: string]: readonly string[] };
  /** Of list.respaced: the old and new place of each. */
  readonly positions?: { readonly [entityId: string]: readonly [string, string] };
  /** How many of each kind went with a deleted entity. */
  readonly gone?: { readonly [kind: string]: number };
  readonly origin?: { readonly createdBy: string; readonly createdAt: string };
}

/** What became of one mutation. */
export interface Decision {
  readonly outcome: "accepted" | "refused";
  /** The mutation's. */
  readonly id: string;
  readonly op: string;
  readonly user: string;
  readonly name?: string;
  readonly picture?: string;
  /** When it was decided, RFC 3339. */
  readonly at: string;
  readonly rev: number;
  readonly changes?: readonly Change[];
  readonly events?: readonly Event[];
  readonly rejection?: { readonly code: string; readonly details?: Fields };
  readonly import?: { readonly source: string };
}

/** The lines that are whole in what has come so far, and the beginning of the next one. */
export function lines(text: string): { readonly decisions: readonly Decision[]; readonly rest: string } {
  const parts = text.split("\n");
  const rest = parts.pop() ?? "";
  return { decisions: parts.filter(Boolean).map((line) => JSON.parse(line) as Decision), rest };
}
