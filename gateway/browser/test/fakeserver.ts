// A server in memory: it decides by the rules of a board as far as the tests of undo need them, and delivers when the test
// says. Each end of a connection is a queue, so that what is under way can be seen and cut.

import type { Socket } from "../src/env.js";
import type { Change, Entity, Json, Patch } from "../src/entities.js";
import { keyBetween } from "../src/key.js";
import { compare, isArchived, listOf, parentOf, position, positioned } from "../src/order.js";
import { type Draft, merge, same, seatOf } from "../src/patch.js";
import { World } from "./world.js";

type Frame = { readonly type: string; readonly [name: string]: unknown };

class Refused extends Error {
  constructor(readonly code: string, readonly details: { [name: string]: Json }) {
    super(code);
  }
}

const bare = (v: Json | undefined): Json => (v === undefined || v === false || (Array.isArray(v) && !v.length) ? null : v);

/** One connection. */
class Line implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  readonly up: Frame[] = []; // to the server
  readonly down: object[] = []; // to the client
  open = false;
  over = false;
  constructor(readonly client: Client) {}
  send(frame: string): void {
    this.up.push(JSON.parse(frame) as Frame);
  }
  close(): void {
    this.over = true;
  }
}

/** A client's surroundings: its own time, and lines to the server. */
export class Client extends World {
  line: Line | undefined;
  /** Every mutate frame the server has read of this client. */
  readonly read: Frame[] = [];
  constructor(readonly server: FakeServer, readonly user: string) {
    super();
    this.env.socket = () => (this.line = new Line(this));
  }

  /** The server takes the next frame; false if there is none. */
  up(): boolean {
    const frame = !this.line?.over && this.line?.up.shift();
    if (!frame) return false;
    if (frame.type === "mutate") this.read.push(frame);
    this.server.take(this.line!, frame);
    return true;
  }

  /** The client gets the next frame; false if there is none. */
  down(): boolean {
    const line = this.line;
    if (!line || line.over) return false;
    if (!line.open) {
      line.open = true;
      this.server.join(line);
      line.onopen?.();
      return true;
    }
    const frame = line.down.shift() as { by?: string } | undefined;
    if (frame) line.onmessage?.({ data: JSON.stringify(frame) });
    if (frame?.by === this.user) this.down(); // law 2: up to the ack in one flush
    return !!frame;
  }

  /** All that is under way arrives, on both sides. */
  async flow(): Promise<void> {
    do await this.settle();
    while (this.down() || this.up());
  }

  /** The same, but what is under way to the server comes back in one flush: every sync, and then every verdict (law 2). */
  async flush(): Promise<void> {
    await this.settle();
    while (this.up());
    const isVerdict = (f: object) => Number("clientMutationId" in f);
    this.line!.down.sort((a, b) => isVerdict(a) - isVerdict(b));
    await this.flow();
  }

  cut(): void {
    const line = this.line;
    this.line = undefined;
    this.server.lines.delete(line!);
    if (line && !line.over) line.onclose?.({ code: 1006, reason: "" });
  }

  /** A new connection, after the pause. */
  async back(): Promise<void> {
    for (let i = 0; !this.line && i < 20; i++) await this.advance(1000);
    await this.flow();
  }
}

export class FakeServer {
  entities = new Map<string, Entity>();
  readonly lines = new Set<Line>();
  readonly verdicts = new Map<string, object>();
  readonly gone = new Set<string>();
  /** What took effect, field by field; of a deletion the field is "". */
  readonly log: { user: string; mutation: unknown; id: string; name: string; from: Json; to: Json }[] = [];
  /** What a conflict named. */
  readonly conflicts: { user: string; id: string; fields: readonly string[] }[] = [];
  rev = 0;
  /** Cards of an unarchived column; more are refused. */
  wipLimit = Infinity;

  constructor(...entities: Entity[]) {
    for (const e of entities) this.entities.set(e.id, { ...e, rev: ++this.rev, createdRev: this.rev, updatedBy: "setup" });
  }

  join(line: Line): void {
    const { client } = line;
    this.lines.add(line);
    line.down.push(client.hello({ user: client.user, rev: this.rev }));
    for (const e of this.entities.values()) line.down.push({ type: "sync", rev: e.rev, entity: this.#shown(e, client.user) });
    line.down.push({ type: "ready", rev: this.rev });
  }

  #shown(e: Entity, user: string): Entity {
    if (e.kind !== "card") return e;
    const likedBy = (e["likedBy"] ?? []) as string[];
    return { ...e, likes: likedBy.length, liked: likedBy.includes(user) };
  }

  take(line: Line, frame: Frame): void {
    if (frame.type === "ping") line.down.push({ type: "pong", serverTime: line.client.serverTime });
    if (frame.type !== "mutate" && frame.type !== "cancel") return;
    const key = `${line.client.user}/${String(frame["clientMutationId"])}`;
    if (!this.verdicts.has(key)) this.verdicts.set(key, this.#decide(line.client.user, frame));
    line.down.push(this.verdicts.get(key)!);
  }

  /** A mutation of somebody who has no connection; gives its verdict. */
  mutate(user: string, entityId: string, patch: Patch | null): object {
    return this.#decide(user, { type: "mutate", clientMutationId: `of ${user}`, entityId, patch });
  }

  #decide(user: string, frame: Frame): object {
    const of = { clientMutationId: frame["clientMutationId"] };
    const nack = (code: string, details: object = {}) => ({ type: "nack", ...of, code, reason: "", retryable: false, details });
    if (frame.type === "cancel") return nack("withdrawn");
    const several = frame["changes"] as Change[] | undefined;
    const changes = several ?? [frame as unknown as Change];
    const next = new Map(this.entities);
    let at = 0;
    try {
      for (const c of changes) {
        this.#apply(next, c, user);
        at++;
      }
      at = 0;
      for (const c of changes) {
        this.#rules(next, c);
        at++;
      }
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      const fields = e.details["fields"] as string[] | undefined;
      if (fields) this.conflicts.push({ user, id: changes[at]!.entityId, fields });
      return nack(e.code, several ? { ...e.details, change: at } : e.details);
    }
    const ids = [...new Set([...this.entities.keys(), ...next.keys()])];
    const changed = ids.filter((id) => !same(this.entities.get(id), next.get(id)));
    for (const id of changed) this.#commit(id, next.get(id), user, of.clientMutationId, id !== changed.at(-1));
    return { type: "ack", ...of, rev: this.rev, events: changed.length };
  }

  #commit(id: string, now: Entity | undefined, user: string, mutation: unknown, more: boolean): void {
    const was = this.entities.get(id);
    const rev = ++this.rev;
    for (const name of now ? Object.keys({ ...was, ...now }) : [""]) {
      const [from, to] = [was?.[name] ?? null, now?.[name] ?? null];
      if (!same(from, to) || !name) this.log.push({ user, mutation, id, name, from, to });
    }
    if (now) this.entities.set(id, { ...now, rev, createdRev: was?.createdRev ?? rev, updatedBy: user });
    else this.entities.delete(id);
    if (!now) this.gone.add(id);
    for (const line of this.lines) {
      const gone = { id, kind: was?.kind, rev, deleted: true };
      const entity = now ? this.#shown(this.entities.get(id)!, line.client.user) : gone;
      line.down.push({ type: "sync", rev, entity, by: user, ...(more && { more }) });
    }
  }

  #apply(next: Map<string, Entity>, { entityId: id, patch, if: expected, ifRev }: Change, user: string): void {
    const old = next.get(id), base = this.entities.get(id);
    if (!old && (!patch?.kind || this.gone.has(id))) throw new Refused("not_found", { entityId: id });
    const fields = Object.keys(expected ?? {}).filter((name) => !same(bare(base?.[name]), bare(expected![name])));
    if (ifRev !== undefined && (base?.rev ?? 0) !== ifRev) fields.push("rev");
    if (fields.length) throw new Refused("conflict", { entity: (base ?? null) as Json, fields });
    if (!patch) return remove(next, id);
    const now = merge(old ?? ({ id, kind: patch.kind!, createdBy: user } as Entity), patch, user);
    delete now["liked"];
    delete now["likes"];
    for (const name of ["title", "text"]) if (typeof now[name] === "string") now[name] = now[name].trim();
    const isTaken = (e: Entity) => e.kind === "file" && parentOf(e) === parentOf(now) && e["name"] === now["name"];
    if (!old && [...next.values()].some(isTaken)) now["name"] = `${String(now["name"])} (2)`;
    const restored = isArchived(old ?? now) && !isArchived(now);
    const moved = !old || listOf(old) !== listOf(now) || patch.position !== undefined;
    if (positioned(now) && (moved || restored)) this.#seat(next, now, patch, old);
    next.set(id, now);
  }

  #seat(next: Map<string, Entity>, now: Draft, patch: Patch, old: Entity | undefined): void {
    const inList = (e: Entity | undefined): e is Entity => !!e && e.id !== now.id && listOf(e) === listOf(now);
    const keys = [...next.values()].filter((e) => inList(e) && !isArchived(e)).map(position).sort(compare);
    const own = position(now), due = !old || listOf(old) !== listOf(now);
    const above = (key: string) => keys.find((k) => k > key) ?? "";
    const below = (key: string) => keys.findLast((k) => k < key) ?? "";
    const seat = seatOf(patch.position);
    if (!seat && (patch.position !== undefined || !due)) {
      if (keys.includes(own)) now["position"] = keyBetween(own, above(own))!; // behind the one that is there
      return;
    }
    if (seat?.id && !due && (seat.id === now.id || next.get(seat.id)?.kind !== now.kind)) return;
    const anchor = next.get(seat?.id ?? "");
    let [low, high] = [keys.at(-1) ?? "", ""];
    if (inList(anchor)) {
      const key = position(anchor);
      low = seat!.after && !isArchived(anchor) ? key : below(key);
      high = !seat!.after && !isArchived(anchor) ? key : above(key);
    } else if (seat?.after && !seat.id) {
      [low, high] = ["", keys[0] ?? ""];
    }
    if (due || isArchived(old) || own <= low || (high && own >= high)) now["position"] = keyBetween(low, high)!;
  }

  #rules(next: Map<string, Entity>, { entityId: id }: Change): void {
    const now = next.get(id), was = this.entities.get(id);
    if (!now || same(now, was)) return;
    const parent = parentOf(now);
    if (parent && !next.has(parent)) throw new Refused("not_found", { entityId: parent });
    if (now.kind !== "card") return;
    const entered = !was || parentOf(was) !== parent || (isArchived(was) && !isArchived(now));
    const stays = was && isArchived(was) && isArchived(now) && parentOf(was) === parent;
    for (const e of [stays ? now : undefined, next.get(parent)]) {
      if (e && isArchived(e)) throw new Refused("archived", { entityId: e.id });
    }
    const count = [...next.values()].filter((e) => e.kind === "card" && parentOf(e) === parent && !isArchived(e)).length;
    if (entered && !isArchived(now) && count > this.wipLimit) {
      throw new Refused("wip_limit", { columnId: parent, limit: this.wipLimit, count: count - 1 });
    }
  }
}

function remove(next: Map<string, Entity>, id: string): void {
  next.delete(id);
  for (const e of [...next.values()]) if (e["cardId"] === id || e["checklistId"] === id) remove(next, e.id);
}
