// Undo and redo of what the application changes through one store.
//
// A step is turned by a mutation: the inverse of what the newest one changed, or, where that never took effect, the same
// again. Whether it took effect is known with its verdict. Until then the turn is in the view, held, and the one it turns
// is asked to withdraw; the verdict tells whether the held one is dropped or sent.

import { Listeners } from "./core.js";
import { noteEffects } from "./effect.js";
import type { Entry, Hooks } from "./engine.js";
import type { Change, Entity, Json, Patch, SetChange } from "./entities.js";
import { isSet } from "./patch.js";
import type { Store } from "./store.js";
import type { Refusal, Unsubscribe } from "./types.js";
import { refused } from "./view.js";

/** Fields that an undo or redo left alone, because somebody changed them since. */
export interface Kept {
  readonly entityId: string;
  /** None: something was put into the entity since, so it was not deleted. */
  readonly fields: readonly string[];
}

/**
 * What became of an undo or redo. `rev` is absent if the server had nothing to change. A refusal has the code of the nack
 * (`wip_limit`, `archived`, `not_found`, `forbidden`, …), `empty` if there is nothing to turn, or `closed`. One that came
 * too late (`expired`, `withdrawn`) can be tried again; a step that a rule of the board refuses is given up, so that it
 * does not stand before the others.
 */
export type UndoResult = { readonly ok: true; readonly rev?: number; readonly kept: readonly Kept[] } | Refusal;

export interface UndoStack {
  /** Takes back the newest step, at once in the view. Never rejects. */
  undo(): Promise<UndoResult>;
  /** Brings forward again what was undone last. Never rejects. */
  redo(): Promise<UndoResult>;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Calls fn when canUndo or canRedo changes. */
  subscribe(fn: () => void): Unsubscribe;
  /** Forgets all steps; an undo under way goes on. */
  clear(): void;
  /** Forgets all steps and makes no more; an undo under way goes on. */
  close(): void;
}

/** What a mutation changed of one entity. */
interface Part {
  readonly id: string;
  /** The confirmed entity's rev, when the verdict came. */
  readonly rev: number | undefined;
  /** It made the entity. */
  readonly kind: string | undefined;
  readonly deleted: boolean;
  readonly fields: readonly Field[];
}

type Field = readonly [name: string, before: Json | undefined, after: Json | undefined];

interface Step {
  /** What the user wants it to be. */
  undone: boolean;
  /** The newest mutation, while it has no verdict, and what it makes the step. */
  flying?: string | undefined;
  goal: boolean;
  /** What turns that one, waiting for its verdict. */
  held?: string | undefined;
  /** What the newest one before it changed, and what it makes the step: the step is that now, unless it was withdrawn. */
  parts: readonly Part[];
  makes: boolean;
  /** What was sent for it here. */
  sent: Change[];
  kept: Kept[];
  settle?: ((result: UndoResult) => void) | undefined;
}

/** A place is one thing in several fields: who keeps one of them keeps them all. */
const isPlace = (name: string) => /^(columnId|checklistId|position)$/.test(name);
/** Not a rule of the board, only time was against it. */
const isLate = ({ code }: Refusal) => /^(expired|withdrawn)$/.test(code);
/** What may come to stand on an entity that was made without it. */
const optional = { title: null, name: null, color: null, done: null, assignee: null, due: null };

const minus = (a: Json = [], b: Json = []) => (a as string[]).filter((s) => !(b as string[]).includes(s));

/** Keeps undo and redo for a store: the newest 50 steps, each of them one mutation, which are forgotten with the page. */
export function undoStack(store: Store, { steps: most = 50 }: { readonly steps?: number } = {}): UndoStack {
  const { engine } = store;
  const { view } = engine;
  const listeners = new Listeners<[]>();
  const flights = new Map<string, Step>();
  /** The confirmed states of what has changed, ascending, since the first of the undecided mutations was made. */
  const states = new Map<string, Entity[]>();
  /** By entity and position asked for: the one the server gave, where it is another. */
  const placed = new Map<string, Json | undefined>();
  let steps: Step[] = []; // in the order made
  let user = store.me?.user;
  let closed = false;
  let told = "";

  const statesOf = (id: string): Entity[] => {
    const now = view.confirmed(id);
    const list = states.get(id) ?? (now ? [now] : []);
    states.set(id, list);
    return list;
  };

  /** What the mutation changed: by the view, or once it is acked by the server. */
  const partsOf = (m: Entry, rev = 0, events = 0): Part[] =>
    [...m.pending.effect].map(([id, { created, fields }]) => {
      const own = m.changes.filter((c) => c.entityId === id);
      const now = view.confirmed(id);
      const list = statesOf(id);
      const at = (rev: number) => list.findLast((e) => e.rev! <= rev);
      const base = rev ? at(rev - events) : undefined;
      const got = rev ? at(rev) : undefined;
      const known = !events || got !== base || now === got ? got : undefined; // else it came together with later ones
      const plain: { [name: string]: Json | undefined } = {};
      const part = {
        id, rev: now?.rev,
        kind: created ? own.find((c) => c.patch?.kind)?.patch?.kind : undefined,
        deleted: own.some((c) => !c.patch),
        fields: [...fields].flatMap(([name, { before, after }]): Field[] => {
          if (isSet(name)) {
            const [from, to] = base && known ? [base[name], known[name]] : [before, after];
            let [gone, come] = [minus(from, to), minus(to, from)];
            if (base) { // somebody may have been quicker
              gone = minus(gone, minus(gone, base[name]));
              come = minus(come, base[name]);
            }
            return gone[0] || come[0] ? [[name, gone, come]] : [];
          }
          const is = (plain[name] = known ? known[name] : after);
          const was = base ? base[name] : created ? undefined : before;
          if (name === "position" && known) {
            placed.delete(id + is);
            if (m.quiet && is !== after) placed.set(id + after, is);
          }
          return was === is && name !== "position" ? [] : [[name, was, is]];
        }),
      };
      if (base && !known) list.splice(list.indexOf(base) + 1, 0, { ...base, ...plain, rev });
      return part;
    });

  /**
   * Takes the parts' changes back, or makes them again: fields if they still have the value they are to have, elements of
   * sets in any case.
   */
  function changesTo(back: boolean, parts: readonly Part[], kept: Kept[] = []): Change[] {
    const changes = parts.flatMap(({ id, kind, deleted, rev, fields }): Change[] => {
      if (deleted) return back ? [] : [{ entityId: id, patch: null, ...(rev && { ifRev: rev }) }];
      if (kind) {
        const set = fields.filter(([name]) => !back || !isPlace(name));
        const made = Object.fromEntries(set.map(([name, , to]) => [name, to!]));
        if (!back) return [{ entityId: id, patch: { ...made, kind } as Patch }];
        if (/^c(ard|olumn)$/.test(kind)) return [{ entityId: id, patch: { archived: true }, if: { archived: null } }];
        if (view.children(id).every((e) => parts.some((p) => p.id === e.id))) {
          return [{ entityId: id, patch: null, if: { ...optional, ...made } }];
        }
        kept.push({ entityId: id, fields: [] });
        return [];
      }
      const patch: { [name: string]: Json | SetChange } = {};
      const expected: { [name: string]: Json } = {};
      for (const [name, before, after] of fields) {
        const [from = null, to = null] = back ? [after, before] : [before, after];
        if (isSet(name)) {
          patch[name] = { add: to as string[], remove: from as string[] };
        } else {
          patch[name] = to;
          expected[name] = (name === "position" && placed.get(id + from)) || from;
        }
      }
      return fields[0] ? [{ entityId: id, patch, if: expected }] : [];
    });
    return back ? changes.reverse() : changes;
  }

  /** The changes that bring the step to where the user wants it, by the mutation that made these parts. */
  const changesOf = (step: Step, parts = step.parts, makes = step.makes) =>
    changesTo(step.undone !== makes, parts, step.kept);

  const next = (undone: boolean) => (undone ? steps.find((s) => s.undone) : steps.findLast((s) => !s.undone));

  function tell(): void {
    const now = `${!!next(false)} ${!!next(true)}`;
    if (now !== told) {
      told = now;
      listeners.tell();
    }
    if (closed && !flights.size) engine.hooks.delete(hooks);
  }

  const forget = (step: Step) => void (steps = steps.filter((s) => s !== step));

  function drop(held: string | undefined): void {
    if (held) engine.release(held, { verdict: refused("withdrawn", "undone") });
  }

  /** The step is at rest. */
  function end(step: Step, result: UndoResult): void {
    const { held, settle } = step;
    step.held = step.settle = undefined;
    drop(held);
    if (!changesTo(step.undone === step.makes, step.parts)[0]) forget(step);
    settle?.(result);
  }

  const done = ({ kept }: Step, rev?: number): UndoResult => ({ ok: true, ...(rev && { rev }), kept });

  /** Sends the changes, in the place of what is held. */
  function send(step: Step, changes: Change[], none = done(step)): void {
    if (!changes[0]) {
      forget(step);
      return end(step, none);
    }
    const { held } = step;
    const id = held ?? engine.ulid();
    step.held = undefined;
    step.flying = id;
    step.goal = step.undone;
    step.sent = changes;
    flights.set(id, step);
    if (held) {
      const { pending } = engine.entries.get(id)!;
      pending.effect.clear();
      Object.assign(pending, { changes, stale: true });
      engine.apply(view.load([])); // shows them
      engine.release(id, { sending: changes });
    } else {
      engine.transact(changes, { id, quiet: true });
    }
  }

  /** After a refusal: leaves out what others changed since; false if it is about something else. */
  function leaveOut({ sent, kept }: Step, { code, details }: Refusal): boolean {
    const at = Number(details["change"] ?? 0);
    const { entityId, patch, if: expected } = sent[at]!;
    const names = Object.keys(patch ?? {});
    let fields = names;
    if (code === "conflict") {
      const differ = (details["fields"] ?? []) as string[];
      const place = differ.some(isPlace);
      fields = patch ? names.filter((n) => differ.includes(n) || (place && isPlace(n))) : differ;
    } else if (code !== "not_found" || details["entityId"] !== entityId || !sent[1]) return false;
    const left = (all = {}) => Object.fromEntries(Object.entries<Json>(all).filter(([n]) => !fields.includes(n)));
    sent.splice(at, 1, ...(names.length > fields.length ? [{ entityId, patch: left(patch!), if: left(expected) }] : []));
    kept.push({ entityId, fields });
    return fields.length > 0;
  }

  const hooks: Hooks = {
    made(m) {
      for (const id of m.pending.effect.keys()) statesOf(id);
      const parts = partsOf(m);
      if (m.quiet || m.restored || closed) return;
      steps = steps.filter((s) => !s.undone);
      if (changesTo(true, parts)[0]) {
        const step: Step = { undone: false, flying: m.id, goal: false, parts, makes: false, sent: [], kept: [] };
        flights.set(m.id, step);
        steps = [...steps, step].slice(-most);
      }
      tell();
    },

    concluded(m, v) {
      const step = flights.get(m.id);
      const parts = v.ok ? partsOf(m, v.rev, v.events) : partsOf(m);
      flights.delete(m.id);
      if (!engine.entries.size) states.clear();
      if (!step) return;
      const wanted = step.undone === step.goal;
      step.flying = undefined;
      if (v.ok || !m.quiet) {
        step.parts = v.ok && !v.events ? [] : parts;
        step.makes = step.goal;
      }
      if (v.ok && wanted) end(step, done(step, v.rev));
      else if (v.ok) send(step, changesOf(step), v.events ? refused("empty", "deleted") : done(step));
      else if (!wanted) {
        if (!m.quiet && !isLate(v)) forget(step);
        end(step, done(step));
      } else if (m.quiet && leaveOut(step, v)) send(step, step.sent);
      else if (step.held && isLate(v)) send(step, changesOf(step));
      else {
        if (m.quiet && isLate(v)) step.undone = !step.undone;
        else forget(step);
        end(step, v);
      }
      tell();
    },

    greeted(hello) {
      if (user && user !== hello.user) steps = [];
      user = hello.user;
      tell();
    },

    closed() {
      steps = [];
      for (const step of flights.values()) step.settle?.(refused("closed", "undecided"));
      flights.clear();
      tell();
    },
  };

  function turn(step: Step | undefined): Promise<UndoResult> {
    if (!step) return Promise.resolve(refused("empty", "no step"));
    step.settle?.({ ok: true, kept: [] }); // by this one
    step.undone = !step.undone;
    step.kept = [];
    const result = new Promise<UndoResult>((settle) => (step.settle = settle));
    const m = engine.entries.get(step.flying!);
    if (m) {
      const was = step.held;
      const changes = changesOf(step, partsOf(m), step.goal);
      step.held = changes[0] && engine.ulid();
      if (step.held) engine.transact(changes, { id: step.held, held: true, quiet: true });
      drop(was);
      engine.cancel(m.id);
    } else {
      send(step, changesOf(step));
    }
    tell();
    return result;
  }

  const clear = () => {
    steps = [];
    tell();
  };

  noteEffects(view);
  const { sync } = view;
  view.sync = (f) => { // each for itself: several may be confirmed in one go
    if (engine.entries.size && engine.hooks.has(hooks) && !f.entity.deleted) statesOf(f.entity.id).push(f.entity);
    return sync.call(view, f);
  };
  engine.hooks.add(hooks);
  return {
    undo: () => turn(next(false)),
    redo: () => turn(next(true)),
    get canUndo() {
      return !!next(false);
    },
    get canRedo() {
      return !!next(true);
    },
    subscribe: (fn) => listeners.add(fn),
    clear,
    close() {
      closed = true;
      clear();
    },
  };
}
