// Seeded schedules of one client against a small model of the server: refusals for now (law 7), delays, cuts that lose
// frames on their way, goaway, from one server to another, lag, gaps of rev, cancels, silence. What came of each mutation is
// what the log says, and what took effect did so in the order made.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Store } from "../src/store.js";
import type { Sent, Verdict } from "../src/types.js";
import { type Chance, chance } from "./vectors.js";
import { card, type FakeSocket, World } from "./world.js";

type Frame = { type: string; clientMutationId?: string; expiresAt?: string; patch?: { title: string } };
type Answer = { readonly type: "ack" | "nack" } & { readonly [name: string]: unknown };

/** The log, and the connection the client has just now. */
class Server {
  readonly verdicts = new Map<string, Answer>();
  readonly effects: string[] = []; // titles in log order
  readonly did = new Map<string, number>();
  rev = 10;
  calm = false;
  #socket: FakeSocket | undefined;
  #refused = ""; // law 7
  #line: { id: string; waits: number; frame: Frame }[] = []; // accepted, undecided: outlive the connection
  #accepted = new Map<string, FakeSocket>(); // by the newest connection on which it was new
  #down: object[] = []; // on their way to the client
  #read = 0;
  #isCut = false;

  constructor(readonly world: World, readonly r: Chance, readonly mayCancel: boolean) {}

  /** From now on all goes well. Somebody else's change shows a gap that nothing came after. */
  settle(): void {
    this.calm = true;
    this.rev++;
    this.#down.push({ type: "sync", rev: this.rev, entity: this.#card(), by: "bob", event: "card.changed" });
  }

  count(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }

  /** Something happens, or nothing does. */
  step(): void {
    const { world, r } = this;
    if (this.#socket !== world.socket) this.#attach(world.socket);
    const socket = world.socket;
    if (socket.closed || this.#isCut) return;
    if (!this.calm && r.below(60) === 0) return this.#cut(socket);
    for (let n = r.below(4); n-- && this.#read < socket.frames.length; ) this.#take(socket.frames[this.#read++] as Frame);
    while (this.#line[0] && (this.calm || r.below(3))) this.#decide();
    if (!this.calm && r.below(40) === 0) this.#lag();
    if (!this.calm && r.below(50) === 0) this.#down.push({ type: "goaway", reconnectAfterMs: r.of([0, 50, 500]) });
    const due = this.calm ? this.#down.length : r.below(5);
    for (const frame of this.#down.splice(0, due)) if (!socket.closed) socket.say(frame);
  }

  #attach(socket: FakeSocket): void {
    const left = this.#socket;
    if (left && left.url.host !== socket.url.host) this.count("moves");
    if (left && !this.#isCut && this.r.below(2)) for (const f of left.frames.slice(this.#read)) this.#take(f as Frame); // it arrives after all
    this.#socket = socket;
    this.#read = 0;
    this.#isCut = false;
    this.#refused = "";
    this.#line.forEach((m) => (m.waits = 0));
    socket.open();
    const since = Number(socket.url.searchParams.get("since") ?? -1);
    const resumed = since >= 0 && this.r.below(5) > 0;
    const limits = { frameBytes: 262144, inFlight: this.r.of([1, 3, 256]), ackTimeoutMs: 5000 };
    this.#down = [this.world.hello({ rev: this.rev, resumed, limits }), ...this.#now()];
  }

  #now() {
    return [{ type: "sync", rev: this.rev, entity: this.#card() }, { type: "ready", rev: this.rev }];
  }

  #card() {
    return card("c1", { rev: this.rev, title: this.effects.at(-1) ?? "c1" });
  }

  #cut(socket: FakeSocket): void {
    this.count("cuts");
    this.#isCut = true;
    const got = this.r.below(2) ? socket.frames.slice(this.#read) : []; // all arrives, and no answer does
    for (const f of got) this.#take(f as Frame);
    if (this.r.below(3) === 0) socket.say({ type: "goaway", reconnectAfterMs: 300 });
    socket.end(this.r.of([1006, 1012, 4001, 4002]));
  }

  #take(f: Frame): void {
    const { r } = this;
    const id = f.clientMutationId!;
    if (f.type === "ping") return void this.#down.push({ type: "pong", serverTime: this.world.serverTime });
    if (f.type !== "mutate" && f.type !== "cancel") return;
    if (this.#refused === id) this.#refused = "";
    const known = this.verdicts.get(id);
    const waiting = this.#line.find((m) => m.id === id);
    // A cancel frees the server in the middle, which then takes what comes behind others that it has refused.
    const isAgain = f.type === "mutate" && !this.mayCancel && this.#accepted.get(id) === this.#socket;
    assert.ok(!isAgain, "sent again, and was not refused");
    if (known) return void this.#down.push(known);
    if (f.type === "cancel") {
      this.count("cancels");
      if (waiting && r.below(2)) return void waiting.waits++; // decided before it
      this.#line = this.#line.filter((m) => m !== waiting);
      return this.#conclude(id, { type: "nack", clientMutationId: id, code: "withdrawn", reason: "", retryable: false }, 1);
    }
    if (waiting) return void waiting.waits++;
    const isHeldUp = this.#refused !== "";
    if (isHeldUp || (!this.calm && r.below(6) === 0)) {
      this.count(isHeldUp ? "refused alike" : "refused");
      this.#refused ||= id;
      const details = { retryAfterMs: r.of([0, 50, 400]) };
      this.#down.push({ type: "nack", clientMutationId: id, code: "rate_limited", reason: "", retryable: true, details });
      return;
    }
    this.#accepted.set(id, this.#socket!);
    this.#line.push({ id, waits: 1, frame: f });
  }

  #decide(): void {
    const { id, waits, frame } = this.#line.shift()!;
    const nack = (code: string) => ({ type: "nack", clientMutationId: id, code, reason: "", retryable: false } as const);
    if (Date.parse(frame.expiresAt!) < Date.parse(this.world.serverTime)) return this.#conclude(id, nack("expired"), waits);
    if (this.r.below(8) === 0) return this.#conclude(id, nack("forbidden"), waits);
    this.effects.push(frame.patch!.title);
    this.rev++;
    if (!this.calm && this.r.below(30) === 0) this.count("gaps");
    else this.#down.push({ type: "sync", rev: this.rev, entity: this.#card(), by: "ann", event: "card.renamed" });
    this.#conclude(id, { type: "ack", clientMutationId: id, rev: this.rev, events: 1 }, waits);
  }

  #conclude(id: string, verdict: Answer, waits: number): void {
    assert.ok(!this.verdicts.has(id), "decided twice");
    this.verdicts.set(id, verdict);
    if (waits) this.#down.push(verdict); // a gap makes the client join again before it takes this
  }

  #lag(): void {
    this.count("lags");
    this.#down.push({ type: "lag", rev: this.rev }, ...this.#now());
  }
}

async function run(seed: number, mayCancel: boolean): Promise<Server> {
  const r = chance(seed);
  const world = new World();
  const store: Store = connect({ board: "b", url: ["http://n1.test", "http://n2.test"], user: "ann", env: world.env, ttl: 60_000 });
  await world.settle();
  const server = new Server(world, r, mayCancel);
  const made: Sent[] = [];
  const got = new Map<string, Verdict>();
  for (let i = 0; i < 300; i++) {
    if (r.below(4) === 0) {
      const p = store.mutate("c1", { title: `${made.length}` });
      made.push(p);
      void p.then((v) => {
        assert.ok(!got.has(p.id));
        got.set(p.id, v);
      });
    }
    if (mayCancel && made[0] && r.below(12) === 0) r.of(made.slice(-4)).cancel();
    if (r.below(50) === 0) world.wake();
    server.step();
    await world.advance(mayCancel && r.below(40) === 0 ? 6000 : r.of([0, 10, 100]));
  }
  server.settle();
  for (let i = 0; i < 20 || (i < 400 && store.inspect().pending.length); i++) {
    server.step();
    await world.advance(100);
  }
  assert.deepEqual(store.inspect().pending.map((m) => m.state), [], "without a verdict");
  for (const { id } of made) {
    const mine = got.get(id)!, theirs = server.verdicts.get(id);
    if (!theirs) assert.equal(mine.ok || mine.code, "withdrawn"); // before it was ever sent
    else if (theirs.type === "ack") assert.deepEqual(mine, { ok: true, rev: theirs["rev"], events: 1 });
    else assert.equal(mine.ok || mine.code, theirs["code"]);
  }
  assert.equal(store.get("c1")!["title"], server.effects.at(-1) ?? "c1");
  const numbers = server.effects.map(Number);
  if (!mayCancel) assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "law 6");
  server.did.set("effects", numbers.length);
  store.close();
  return server;
}

for (const mayCancel of [false, true]) {
  const what = mayCancel ? "with cancels and silence" : "in whatever order refusals, verdicts and cuts come";
  test(`Laws 6 and 7 ${what}`, async () => {
    const did = new Map<string, number>();
    const [from, to] = (process.env["SEEDS"] ?? "1-60").split("-").map(Number) as [number, number];
    for (let seed = from; seed <= to; seed++) {
      try {
        for (const [what, n] of (await run(seed, mayCancel)).did) did.set(what, (did.get(what) ?? 0) + n);
      } catch (e) {
        throw new Error(`seed ${seed}: ${(e as Error).message}`, { cause: e });
      }
    }
    for (const what of ["effects", "cuts", "refused", "refused alike", "lags", "gaps", "moves", ...(mayCancel ? ["cancels"] : [])]) {
      assert.ok(did.get(what)! > 10, `${what}: ${did.get(what)}`);
    }
  });
}
