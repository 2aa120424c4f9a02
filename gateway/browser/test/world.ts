// A world for the client: time that the test moves, and sockets whose other end the test is.

import type { Env, Socket } from "../src/env.js";

// Where the page came from, as far as Node is one.
(globalThis as { location?: unknown }).location ??= { origin: "http://board.test" };

type Frame = { type: string; [name: string]: unknown };

/** One socket, seen from the server. */
export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  readonly frames: Frame[] = []; // what the client sent
  closed: number | undefined; // by the client
  constructor(readonly url: URL, readonly protocols: string[]) {}

  send(frame: string): void {
    this.frames.push(JSON.parse(frame) as Frame);
  }
  close(code = 1000): void {
    this.closed = code;
  }

  // The server's side.
  open(): void {
    this.onopen?.();
  }
  say(...frames: object[]): void {
    for (const f of frames) this.onmessage?.({ data: JSON.stringify(f) });
  }
  end(code = 1006): void {
    this.onclose?.({ code, reason: "" });
  }
  /** The frames of a type, or all. */
  sent(type?: string): Frame[] {
    return this.frames.filter((f) => type === undefined || f.type === type);
  }
}

interface Timer {
  at: number;
  fn: () => void;
}

export class World {
  now = 1_000_000; // monotonic
  offset = Date.parse("2026-01-01T00:00:00Z") - 1_000_000; // wall minus monotonic
  sockets: FakeSocket[] = [];
  chance = 0.5;
  #timers = new Set<Timer>();
  #wakes = new Set<() => void>();

  readonly env: Env = {
    monotonic: () => this.now,
    wall: () => this.now + this.offset,
    setTimeout: (fn, ms) => {
      const timer = { at: this.now + ms, fn };
      this.#timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => void this.#timers.delete(timer as Timer),
    random: () => this.chance,
    socket: (url, protocols) => {
      const socket = new FakeSocket(new URL(url), protocols);
      this.sockets.push(socket);
      return socket;
    },
    onWake: (fn) => {
      this.#wakes.add(fn);
      return () => void this.#wakes.delete(fn);
    },
    afterPaint: (fn) => fn(),
  };

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  get serverTime(): string {
    return new Date(this.now + this.offset).toISOString();
  }

  get listening(): number {
    return this.#wakes.size;
  }

  /** Lets promises go on. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  /** Time passes while the page runs. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await this.settle();
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      this.#timers.delete(next);
      next.fn();
    }
    this.now = end;
    await this.settle();
  }

  /** Time passes while the page does not run; then late timers go off, if anything is due. */
  async freeze(ms: number): Promise<void> {
    this.now += ms;
    await this.advance(0);
  }

  /** The machine sleeps, and the monotonic clock with it. */
  sleep(ms: number): void {
    this.offset += ms;
  }

  /** The page hears that it is visible again, or the network is there. */
  wake(): void {
    for (const fn of [...this.#wakes]) fn();
  }

  hello(more: object = {}): object {
    return {
      type: "hello", protocol: 1, board: "b", user: "ann", role: "editor", session: "s1", epoch: "e1", rev: 0, resumed: false,
      serverTime: this.serverTime, limits: { frameBytes: 262144, inFlight: 256, ackTimeoutMs: 5000 }, ...more,
    };
  }

  /** Opens the newest socket and joins with these entities, at this rev. */
  async join(entities: object[] = [], rev = 10, more: object = {}): Promise<FakeSocket> {
    await this.settle();
    this.socket.open();
    this.socket.say(this.hello({ rev, ...more }));
    for (const entity of entities) this.socket.say({ type: "sync", rev: (entity as { rev?: number }).rev ?? rev, entity });
    this.socket.say({ type: "ready", rev });
    for (const _ of this.socket.sent("ping")) this.socket.say({ type: "pong", serverTime: this.serverTime }); // it took long
    await this.settle();
    return this.socket;
  }
}

export const card = (id: string, more: object = {}) => ({
  id, kind: "card", rev: 1, createdRev: 1, createdBy: "bob", columnId: "todo", position: "a0", title: id,
  liked: false, likes: 0, ...more,
});
