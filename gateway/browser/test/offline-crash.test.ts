// Offline under chance: tabs come, hear, write, are cut off and crash between any two steps of any transaction; with odd seeds
// transactions fail as well. At every moment the stored state is that of the board at the stored rev, and every mutation
// that was stored is decided, once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity } from "../src/entities.js";
import { calm, Machine, type Tab } from "./machine.js";
import { card, type FakeSocket, World } from "./world.js";

const seeds = 60;
const steps = 70;

type Frame = { readonly [name: string]: unknown };

function chance(seed: number): (n: number) => number {
  let state = seed * 2654435761 + 1;
  return (n) => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    return ((state ^ (state >>> 14)) >>> 0) % n;
  };
}

/** The board, all it ever was, and who has heard how much of it. */
class Server {
  epoch = 1;
  rev = 0;
  /** By epoch and rev, then by id. */
  readonly history = new Map<string, ReadonlyMap<string, Entity>>();
  readonly verdicts = new Map<string, { content: string; rev: number }>();
  #syncs: { rev: number; entity: Entity }[] = [];
  #heard = new Map<FakeSocket, number>();
  #read = new Map<FakeSocket, number>();

  constructor() {
    this.history.set(this.#key(0), new Map());
  }

  #key(rev: number): string {
    return `e${this.epoch}/${rev}`;
  }

  get now(): ReadonlyMap<string, Entity> {
    return this.history.get(this.#key(this.rev))!;
  }

  put(id: string, title: string | undefined): void {
    const rev = ++this.rev;
    const next = new Map(this.history.get(this.#key(rev - 1)));
    const entity: Entity = title === undefined
      ? { id, kind: "card", rev, deleted: true } : card(id, { rev, title, createdRev: rev });
    if (title === undefined) next.delete(id);
    else next.set(id, entity);
    this.history.set(this.#key(rev), next);
    this.#syncs.push({ rev, entity });
  }

  /** Comes back with another past. */
  restore(): void {
    this.epoch++;
    this.rev = 0;
    this.#syncs = [];
    this.history.set(this.#key(0), new Map());
    this.put("c0", `in epoch ${this.epoch}`);
  }

  join(tab: Tab, whole: boolean): void {
    const { socket } = tab.world;
    const { searchParams } = socket.url;
    const since = Number(searchParams.get("since") ?? 0);
    const resumed = searchParams.get("epoch") === `e${this.epoch}`;
    assert.ok(!resumed || since <= this.rev);
    socket.open();
    socket.say(tab.world.hello({ epoch: `e${this.epoch}`, rev: this.rev, resumed }));
    if (!whole) return; // cut within the join
    for (const { rev, entity } of this.#syncs) {
      if (rev > (resumed ? since : 0)) socket.say({ type: "sync", rev, entity });
    }
    socket.say({ type: "ready", rev: this.rev });
    this.#heard.set(socket, this.rev);
  }

  /** Says up to n syncs more. */
  say(socket: FakeSocket, n: number): void {
    const heard = this.#heard.get(socket)!;
    const next = this.#syncs.filter(({ rev }) => rev > heard).slice(0, n);
    for (const { rev, entity } of next) socket.say({ type: "sync", rev, entity });
    this.#heard.set(socket, next.at(-1)?.rev ?? heard);
  }

  /** Decides what came, each id once. Answers, or the answer is lost. */
  decide(socket: FakeSocket, answers: boolean): void {
    const frames = socket.sent("mutate");
    for (const frame of frames.slice(this.#read.get(socket) ?? 0)) {
      const id = String(frame["clientMutationId"]);
      // After a crash between the frame and the writing of its deadline another one is sent; the id sees to it that it has
      // one effect.
      const { expiresAt, ...rest } = frame;
      const content = JSON.stringify(rest);
      let decided = this.verdicts.get(id);
      if (!decided) {
        this.put(String(frame["entityId"]), String((frame["patch"] as Frame)["title"]));
        this.verdicts.set(id, (decided = { content, rev: this.rev }));
      }
      assert.equal(content, decided.content, "the same id with other content");
      if (!answers) continue;
      this.say(socket, Infinity);
      socket.say({ type: "ack", clientMutationId: id, rev: Math.min(decided.rev, this.rev), events: 1 });
    }
    this.#read.set(socket, frames.length);
  }
}

/** A run: what may happen, and what must always be. */
class Run {
  readonly machine = new Machine();
  readonly server = new Server();
  readonly made: string[] = [];
  readonly stored = new Set<string>();
  readonly counts = { states: 0, crashes: 0, painted: 0, adopted: 0, failed: 0 };
  #live: Tab[] = [];
  #joined = new Set<FakeSocket>();
  #n = 0;
  #wall = new World().env.wall();

  constructor(readonly pick: (n: number) => number, fails: boolean) {
    if (fails) this.machine.spoil = (tx) => void (pick(6) || this.#abort(tx, pick(4)));
  }

  #abort(tx: IDBTransaction, ticks: number): void {
    void calm(ticks).then(() => {
      try {
        tx.abort();
        this.counts.failed++;
      } catch {
        // committed
      }
    });
  }

  /** One clock on the wall for all. */
  clocks(): void {
    this.#wall = 50 + Math.max(this.#wall, ...this.#live.map((t) => t.world.env.wall()));
    for (const { world } of this.#live) world.offset += this.#wall - world.env.wall();
    this.machine.elapsed = this.#wall - new World().env.wall();
  }

  async step(): Promise<void> {
    this.clocks();
    const tab = this.#live[this.pick(this.#live.length || 1)];
    const socket = tab?.world.sockets.at(-1);
    const isJoined = !!socket && this.#joined.has(socket);
    switch (this.pick(12)) {
      case 0:
        if (this.#live.length < 3) await this.open();
        break;
      case 1:
        if (tab) this.crash(tab);
        break;
      case 2:
        if (this.pick(4) === 0) this.restart();
        break;
      case 3:
        if (isJoined) this.cut(socket);
        else if (tab) await tab.world.advance(20_000);
        break;
      case 4:
        tab?.world.wake();
        break;
      case 5:
        if (tab) await tab.world.advance(300);
        break;
      case 6:
      case 7:
        if (tab) this.made.push(tab.store.mutate(`c${this.pick(5)}`, { title: `t${++this.#n}` }).id);
        break;
      case 8:
        if (isJoined) this.server.decide(socket, this.pick(3) > 0);
        break;
      default:
        this.server.put(`c${this.pick(5)}`, this.pick(5) ? `s${++this.#n}` : undefined);
        if (isJoined) this.server.say(socket, this.pick(4));
        else if (tab && socket && socket.closed === undefined) this.join(tab);
    }
    await calm(this.pick(6));
  }

  join(tab: Tab, whole = this.pick(5) > 0): void {
    const { socket } = tab.world;
    this.server.join(tab, whole);
    if (whole) this.#joined.add(socket);
    else socket.end();
  }

  async open(): Promise<Tab> {
    this.clocks();
    const tab = await this.machine.loaded({ user: "ann" });
    this.#live.push(tab);
    const { epoch, rev } = tab.store.inspect();
    if (epoch) {
      this.counts.painted++;
      const board = this.server.history.get(`${epoch}/${rev}`)!;
      for (const id of ["c0", "c1", "c2", "c3", "c4"]) {
        assert.deepEqual(tab.store.confirmed(id), board.get(id), `${id} painted`);
      }
    }
    if (tab.ids.length) this.counts.adopted++;
    return tab;
  }

  crash(tab: Tab): void {
    this.counts.crashes++;
    this.#live.splice(this.#live.indexOf(tab), 1);
    tab.crash();
  }

  cut(socket: FakeSocket): void {
    this.#joined.delete(socket);
    socket.end();
  }

  restart(): void {
    for (const tab of this.#live) for (const s of tab.world.sockets) if (this.#joined.has(s)) this.cut(s);
    this.server.restore();
  }

  async check(): Promise<void> {
    const { meta, entities, pending } = await this.machine.stored();
    if (meta?.epoch) { // else the entities say nothing
      const board = this.server.history.get(`${meta.epoch}/${meta.rev}`)!;
      assert.deepEqual(new Map(entities.map((e) => [e.id, e])), new Map([...board].sort()), `stored at ${meta.epoch}/${meta.rev}`);
      this.counts.states++;
    }
    for (const { id } of pending) this.stored.add(id);
  }

  /** Everybody is gone but one, who gets every verdict. */
  async end(): Promise<void> {
    await calm();
    await this.check();
    this.machine.spoil = undefined;
    while (this.#live[0]) this.crash(this.#live[0]);
    const last = await this.open();
    const expected = this.made.filter((id) => this.stored.has(id));
    const left = last.ids;
    assert.deepEqual(left, this.made.filter((id) => left.includes(id)), "in the order made");
    this.join(last, true);
    this.server.decide(last.world.socket, true);
    await last.stored();
    await this.check();
    assert.deepEqual(expected.filter((id) => !this.server.verdicts.has(id)), [], "never decided");
    assert.deepEqual(last.ids, []);
    assert.deepEqual((await this.machine.stored()).pending, []);
    assert.deepEqual((await this.machine.stored()).meta!.rev, this.server.rev);
  }
}

describe("crashes at any moment", () => {
  const total = { states: 0, crashes: 0, painted: 0, adopted: 0, failed: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    test(`seed ${seed}`, async () => {
      const run = new Run(chance(seed), seed % 2 > 0);
      try {
        await run.open();
        for (let i = 0; i < steps; i++) {
          await run.step();
          if (run.pick(3) === 0) await run.check();
        }
        await run.end();
      } finally {
        run.machine.end();
      }
      for (const [name, n] of Object.entries(run.counts)) total[name as keyof typeof total] += n;
    });
  }
  test("and something happened", () => {
    for (const [what, n] of Object.entries(total)) assert.ok(n > seeds, `${what}: ${n}`);
  });
});
