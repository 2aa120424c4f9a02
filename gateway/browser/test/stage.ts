// Stores that a test drives from outside, in Node or on a page, and that watch themselves: what a listener is told, which
// objects stay the same, how often a promise settles. test/convergence holds the reports against the server's log.

import { connect, type Store } from "../src/index.js";
import type { Change, Entity, Kind } from "../src/entities.js";
import type { EntityChange, Options, Status, Verdict } from "../src/types.js";
import { offline } from "../src/offline.js";
import { undoStack, type UndoStack, type UndoResult } from "../src/undo.js";
import { type Breakage, spoil } from "./spoil.js";

const kinds: readonly Kind[] = ["board", "member", "column", "card", "checklist", "item", "label", "comment", "file"];
/** What a list of siblings hangs on, by kind; the others hang on the board. */
const parents: { readonly [kind: string]: string } = { card: "columnId", checklist: "cardId", comment: "cardId", file: "cardId", item: "checklistId" };
const mostFaults = 10;

/** A mutation and what was told of it. */
interface Told {
  /** Its promise's verdict. */
  promised?: Verdict;
  /** How often the promise settled; more than once only if it is none. */
  promises: number;
  /** onSettled and its verdict. */
  settled: number;
  verdict?: Verdict;
  rollbacks: number;
  /** Refused before it was shown. */
  never: boolean;
}

export interface Report {
  readonly status: Status;
  readonly rev: number;
  readonly view: readonly Entity[];
  readonly confirmed: readonly Entity[];
  /** Of the listener that heard every change. */
  readonly mirror: readonly Entity[];
  /** The ids under each parent, "" is the board, by kind. */
  readonly order: readonly { readonly parent: string; readonly kind: string; readonly ids: readonly string[] }[];
  readonly pending: number;
  readonly mutations: { readonly [id: string]: Told };
  /** What came of undos and redos, by "undo" or the code of the refusal. */
  readonly turns: { readonly [outcome: string]: number };
  readonly faults: readonly string[];
}

/** One store and what was seen of it. */
class Actor {
  readonly store: Store;
  #mirror = new Map<string, Entity>();
  #told = new Map<string, Told>();
  #heard = new Map<string, number>(); // changes of those entities that have a listener of their own, one minus the other
  #lists = new Map<string, { list: readonly Entity[]; dirty: boolean }>();
  #faults: string[] = [];
  #undo: UndoStack;
  #turning = 0;
  #turns: { [outcome: string]: number } = {};

  constructor(options: Options, breakage: Breakage | undefined) {
    this.store = connect(options);
    if (breakage) spoil(this.store, breakage);
    this.#undo = undoStack(this.store);
    this.store.subscribe((changes) => this.#hear(changes));
    this.store.onSettled((m, verdict) => {
      const told = this.#of(m.id);
      told.settled++;
      told.verdict = verdict;
    });
    this.store.onRollback((m) => this.#of(m.id).rollbacks++);
  }

  #fault(text: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push(text);
  }

  #of(id: string): Told {
    let told = this.#told.get(id);
    if (!told) this.#told.set(id, (told = { promises: 0, settled: 0, rollbacks: 0, never: false }));
    return told;
  }

  #hear(changes: readonly EntityChange[]): void {
    for (const { id, before, after } of changes) {
      if (before !== this.#mirror.get(id)) this.#fault(`${id}: told before is not the object told last`);
      if (shown(before) === shown(after)) this.#fault(`${id}: told of ${shown(after)}, which had not changed`);
      if (after) this.#mirror.set(id, after);
      else this.#mirror.delete(id);
      for (const e of [before, after]) {
        if (e) for (const key of keys(e)) this.#lists.set(key, { list: [], dirty: true });
      }
      if (this.#heard.has(id)) this.#heard.set(id, this.#heard.get(id)! + 1);
    }
  }

  /** Between two things that happen: what nobody was told of is what it was. */
  look(id: string): void {
    if (this.store.get(id) !== this.#mirror.get(id)) this.#fault(`${id}: another object, and nobody was told`);
    const e = this.store.get(id);
    if (!e) return;
    const [own, under] = keys(e);
    for (const [key, list] of [
      [own!, this.store.children(parentOf(e), e.kind as Kind)], [under!, this.store.list(e.kind as Kind)],
    ] as const) {
      const seen = this.#lists.get(key);
      if (seen && !seen.dirty && seen.list !== list) this.#fault(`${key}: another array, and none of them has changed`);
      this.#lists.set(key, { list, dirty: false });
    }
    if (!this.#heard.has(id)) {
      this.#heard.set(id, 0);
      this.store.subscribe(id, (now, before) => {
        if (before === now) this.#fault(`${id}: its listener was told nothing`);
        this.#heard.set(id, this.#heard.get(id)! - 1);
      });
    }
  }

  transact(changes: readonly Change[], cancel: boolean): void {
    const sent = this.store.transact(changes);
    const told = this.#of(sent.id);
    told.never = !this.store.engine.entries.has(sent.id) && !told.settled;
    sent.then(
      (verdict) => {
        told.promises++;
        told.promised = verdict;
      },
      (e) => this.#fault(`${sent.id}: the promise rejects: ${String(e)}`),
    );
    if (cancel) sent.cancel();
    for (const { entityId } of changes) this.look(entityId);
  }

  turn(redo: boolean): void {
    this.#turning++;
    const came = (r: UndoResult) => {
      this.#turning--;
      const outcome = !r.ok ? r.code : r.kept.length ? "undo of a part" : "undo";
      this.#turns[outcome] = (this.#turns[outcome] ?? 0) + 1;
    };
    (redo ? this.#undo.redo() : this.#undo.undo()).then(came, (e) => this.#fault(`an undo rejects: ${String(e)}`));
  }

  /** The ids of those that wait for a verdict. */
  waiting(): string[] {
    const open = [...this.#told].filter(([, t]) => !t.never && !(t.settled && t.promises) && !(t.settled && t.promised === undefined));
    const ids = new Set([...open.map(([id]) => id), ...this.store.inspect().pending.map((m) => m.id)]);
    return this.#turning ? [...ids, "an undo"] : [...ids];
  }

  report(): Report {
    const view = kinds.flatMap((kind) => this.store.list(kind) as readonly Entity[]);
    for (const { id } of view) this.look(id);
    for (const [id, more] of this.#heard) if (more) this.#fault(`${id}: its listener was told ${-more} times more than all`);
    const order = new Map<string, { parent: string; kind: string; ids: string[] }>();
    for (const e of view) {
      const [key] = keys(e);
      if (order.has(key!)) continue;
      const ids = this.store.children(parentOf(e), e.kind as Kind).map((c: Entity) => c.id);
      order.set(key!, { parent: parentOf(e), kind: e.kind, ids });
    }
    return {
      status: this.store.status, rev: this.store.rev, view, mirror: [...this.#mirror.values()], order: [...order.values()],
      confirmed: [...this.store.engine.view.allConfirmed()], pending: this.store.inspect().pending.length,
      mutations: Object.fromEntries(this.#told), turns: this.#turns, faults: this.#faults,
    };
  }
}

const parentOf = (e: Entity) => String(e[parents[e.kind] ?? ""] ?? "");
/** Its list of siblings, and the list of its kind. */
const keys = (e: Entity) => [`${parentOf(e)}/${e.kind}`, e.kind];

/** What a listener may see of an entity: not whose and how old its newest change is. */
function shown(e: Entity | undefined): string {
  if (!e) return "nothing";
  const { rev, updatedAt, updatedBy, ...rest } = e;
  return JSON.stringify(rest, Object.keys(rest).sort().concat(nested(rest)));
}

/** The names inside of objects, for JSON.stringify's list of what to keep. */
function nested(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...nested(inner)]);
}

const actors = new Map<number, Actor>();
const actor = (n: number) => actors.get(n)!;

/** Connects store n, which is broken in one way or keeps what it has over reloads of the page, if so wished. */
export function open(n: number, options: Options, how: { readonly breakage?: Breakage; readonly keeps?: boolean }): void {
  actors.set(n, new Actor(how.keeps ? { ...options, offline: offline() } : options, how.breakage));
}

export const ready = (n: number) => actor(n).store.ready;

/** Mutations one after the other; the last is cancelled at once if so wished. */
export function act(n: number, mutations: readonly (readonly Change[])[], cancel: boolean): void {
  mutations.forEach((changes, i) => actor(n).transact(changes, cancel && i === mutations.length - 1));
}

export const turn = (n: number, redo: boolean) => actor(n).turn(redo);
export const waiting = (n: number) => actor(n).waiting();
export const sees = (n: number, id: string) => actor(n).store.status === "live" && actor(n).store.confirmed(id) !== undefined;
export const report = (n: number) => actor(n).report();
export const close = (n: number) => actor(n).store.close();
