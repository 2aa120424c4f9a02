// A part of a board's log laid out for replaying, and a state that is moved along it. Pure: what is missing is told, and
// fetched by somebody else.

import type { EntityChange } from "@snapback/client";

import type { Decision, Event } from "../history/log.js";
import { backward, differences, forward, undo, type Entities } from "./fold.js";

/** Where in the replay one stands: behind the events up to a rev, and at what was refused then. */
export interface Spot {
  readonly rev: number;
  readonly tried?: string;
}

/** A stretch of the log without gaps. */
export interface Stretch {
  /** All decisions with a higher rev than the one and no higher rev than the other are there. */
  readonly from: number;
  readonly to: number;
  /** In the order of the log. */
  readonly decisions: readonly Decision[];
}

export const keyOf = ({ user, id }: Decision): string => `${user} ${id}`;

/** What became of it can be seen: events, or a refusal. */
export const shows = ({ outcome, events }: Decision): boolean => outcome === "refused" || !!events?.length;

/** What one stops at. */
export interface Choice {
  /** Only this user's decisions; "": everybody's. */
  readonly user: string;
  readonly what: "" | "refused" | "made" | "moved" | "deleted";
}
export const everything: Choice = { user: "", what: "" };

const verbs: { readonly [what: string]: RegExp } = { made: /\.(created|added)$/, moved: /\.moved$/, deleted: /\.(deleted|removed|archived)$/ };

export function stopsAt(d: Decision, { user, what }: Choice): boolean {
  if (!shows(d) || (user && d.user !== user)) return false;
  if (what === "") return true;
  return what === "refused" ? d.outcome === "refused" : !!d.events?.some(({ type }) => verbs[what]!.test(type));
}

/** The moment at which a decision was just made. */
export const spotOf = (d: Decision): Spot => (d.outcome === "refused" ? { rev: d.rev, tried: d.id } : { rev: d.rev });

/** The index of the decision one stands at or behind, -1 before the first. */
export function indexAt({ decisions }: Stretch, { rev, tried }: Spot): number {
  const refused = tried === undefined ? -1 : decisions.findIndex((d) => d.outcome === "refused" && d.rev === rev && d.id === tried);
  if (refused >= 0) return refused;
  return decisions.findLastIndex((d) => d.outcome === "accepted" && !!d.events?.length && d.events[0]!.rev <= rev);
}

/** A decision is made as a whole: who asks for a rev in the midst of one stands behind it. */
export function whole({ decisions }: Stretch, at: Spot): Spot {
  if (at.tried !== undefined) return at;
  const d = decisions.find(({ rev, events }) => rev >= at.rev && !!events?.length);
  return d && d.events![0]!.rev <= at.rev ? { rev: d.rev } : at;
}

/** The next decision to stop at from an index on, exclusively, in that direction; -1 if there is none in the stretch. */
export function nextStop({ decisions }: Stretch, index: number, way: 1 | -1, choice: Choice): number {
  for (let i = index + way; i >= 0 && i < decisions.length; i += way) if (stopsAt(decisions[i]!, choice)) return i;
  return -1;
}

/** The stretch with what comes right before it. */
export const withEarlier = (s: Stretch, from: number, read: readonly Decision[]): Stretch => ({ ...s, from, decisions: [...read, ...s.decisions] });

/** The stretch with what comes behind it up to a rev; of the last rev of it there may be more since, and doubles. */
export function withLater(s: Stretch, to: number, read: readonly Decision[]): Stretch {
  const has = new Set(s.decisions.filter((d) => d.rev >= s.to).map(keyOf));
  const fresh = read.filter((d) => !has.has(keyOf(d)));
  return { ...s, to: Math.max(s.to, to), decisions: fresh.length ? [...s.decisions, ...fresh] : s.decisions };
}

/** How many events are taken back exactly; of older ones what was before is taken from the log. */
const mostKept = 5000;

/** A state, and the way it can go. */
export interface Film {
  readonly rev: number;
  readonly entities: Entities;
  /** Where to, by the events of these decisions. */
  lay(decisions: readonly Decision[]): void;
  /** Moves to a rev. Undefined, with nothing changed, if events are missing, or what was deleted has to come back from elsewhere. */
  move(to: number): readonly EntityChange[] | undefined;
  /** Goes on from another state. */
  cut(rev: number, entities: Entities): readonly EntityChange[];
}

export function film(reader: string): Film {
  let rev = 0;
  let entities: Entities = new Map();
  const events = new Map<number, { readonly ev: Event; readonly by: Decision }>();
  const kept = new Map<number, readonly EntityChange[]>();

  const on = (): readonly EntityChange[] | undefined => {
    const next = events.get(rev + 1);
    if (!next) return undefined;
    let changes;
    try {
      changes = forward(entities, next.ev, next.by, reader);
    } catch {
      return undefined; // the state is another one than the log leads to: it is asked for anew
    }
    kept.set(++rev, changes);
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!);
    return changes;
  };
  const back = (): readonly EntityChange[] | undefined => {
    const known = kept.get(rev);
    const event = events.get(rev);
    const changes = known ? undo(entities, known) : event && backward(entities, event.ev, reader);
    if (!changes) return undefined;
    kept.delete(rev--);
    return changes;
  };

  return {
    get rev() { return rev; },
    get entities() { return entities; },
    lay(decisions) {
      for (const by of decisions) for (const ev of by.events ?? []) events.set(ev.rev, { ev, by });
    },
    move(to) {
      const from = rev;
      const all: EntityChange[] = [];
      while (rev !== to) {
        const changes = rev < to ? on() : back();
        if (changes) all.push(...changes);
        else {
          undo(entities, all);
          rev = from;
          kept.clear(); // it is not known any more what of it holds
          return undefined;
        }
      }
      return together(all);
    },
    cut(to, now) {
      const changes = differences(entities, now);
      kept.clear();
      [rev, entities] = [to, now];
      return changes;
    },
  };
}

/** Several changes of one entity as one, in the order of the first of them. */
function together(all: readonly EntityChange[]): readonly EntityChange[] {
  const byId = new Map<string, EntityChange>();
  for (const change of all) byId.set(change.id, { ...change, before: (byId.get(change.id) ?? change).before });
  return [...byId.values()].filter(({ before, after }) => before !== after);
}

/** How long one looks at a moment, in milliseconds: as long as it took, but gaps are cut, and nothing is too quick to see. */
export const pause = (gap: number, speed: number): number => Math.min(3000, Math.max(600, gap)) / speed;
