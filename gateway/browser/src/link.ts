// The connection: joins the board, brings frames to the view, sends what is pending and asks for overdue verdicts, over as
// many sockets as it takes. It has one timer; every input ends in #tick, which does what is due.

import type { Core } from "./core.js";
import type { Entry } from "./engine.js";
import type { Socket } from "./env.js";
import type { Hello, Nack, ServerFrame } from "./frames.js";
import type { Status } from "./types.js";

/** Milliseconds. */
const quiet = 5000; // without a frame one way: ping
const pongTimeout = 3000;
const dialTimeout = 15000;
const late = 1000; // a timer later than this means that the page did not run
const beat = 1000; // how often to look at the clock while a verdict is awaited, so that little time passes unnoticed
const backoff = { min: 250, max: 10000 };

/** What waits for a verdict on this socket. Deadlines are in running time. */
interface Flight {
  readonly order: number;
  readonly sentAt: number;
  deadline: number;
}

export class Link {
  status: Status = "connecting";
  closeCode: number | undefined;
  hello: Hello | undefined;
  latency: number | undefined;
  #core: Core;

  // Of this socket.
  #socket: Socket | undefined;
  #open = false;
  #ready = false;
  #rev = 0; // of the last live sync: the next one has this or one more
  #flights = new Map<Entry, Flight>();
  #sent = 0;
  #heard = 0;
  #spoke = 0;
  #pinged = 0; // since when a ping waits for a sign of life, 0: none does
  #askedAt = 0; // when the last ping was sent
  #pongs = 0; // still to come
  #judging = false; // the page may have slept: nothing is judged or sent before the pong
  #blockedUntil = 0; // law 7
  #goaway = 0;

  // Over sockets.
  #attempt = 0;
  #failures = 0;
  #retryAt = Infinity; // without a socket: when to dial, or while one is opening to give it up
  #timer: unknown;
  #due = Infinity; // when the timer should go off, by env.monotonic
  #lost = 0; // time in which the page did not run
  #drift: number;
  #deaf: () => void;

  constructor(core: Core) {
    this.#core = core;
    this.#drift = core.env.wall() - core.env.monotonic();
    this.#deaf = core.env.onWake(() => this.tick(() => this.#wake()));
  }

  /** Does what is due, after fn. */
  tick(fn?: () => void): void {
    if (this.status === "closed") return;
    this.#core.run(() => {
      this.#notice();
      fn?.();
      const next = this.#socket ? this.#serve() : this.#retry();
      this.#core.env.clearTimeout(this.#timer);
      if (this.closeCode !== undefined) return;
      const wait = Math.min(Math.max(next - this.#now(), 1), this.#flights.size ? beat : Infinity);
      this.#due = this.#core.env.monotonic() + wait;
      if (wait < Infinity) this.#timer = this.#core.env.setTimeout(() => this.tick(), wait);
    });
  }

  /** Ends for good. */
  close(code: number): void {
    this.closeCode = code;
    this.#core.env.clearTimeout(this.#timer);
    this.#attempt++;
    this.#deaf();
    this.#socket?.close(1000);
    this.#gone();
    this.#set("closed");
    this.#core.ended();
  }

  /** Gives the socket up and joins on another, at once if this one had been good. */
  restart(): void {
    const dead = this.#socket;
    this.#closed(0, !this.#failures);
    dead?.close(1000);
  }

  /** Withdraws what was sent; false if it never was. */
  cancel(m: Entry): boolean {
    if (m.expiresAt === undefined) return false;
    m.ask = true;
    if (this.#flights.has(m)) this.send({ type: "cancel", clientMutationId: m.id });
    return true;
  }

  /** Ends the wait for a verdict to what was sent here. */
  landed(m: Entry): void {
    const flight = this.#flights.get(m);
    if (flight) this.latency = this.#now() - flight.sentAt;
    this.#flights.delete(m);
  }

  send(frame: object | string): boolean {
    if (!this.#ready) return false;
    this.#write(frame);
    return true;
  }

  #write(frame: object | string): void {
    this.#spoke = this.#now();
    this.#socket?.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Running time: it stands still while the page does not run. */
  #now(): number {
    return this.#core.env.monotonic() - this.#lost;
  }

  /** Notices that the page did not run, or the machine slept: deadlines move, and nothing is judged before a pong. */
  #notice(): void {
    const { monotonic, wall } = this.#core.env;
    const over = monotonic() - this.#due;
    const drift = wall() - monotonic();
    const jumped = Math.abs(drift - this.#drift) > 2 * late;
    if (over > late) this.#lost += over;
    if (over <= late && !jumped) return;
    this.#due = Infinity;
    this.#drift = drift;
    this.#wake();
  }

  #wake(): void {
    if (!this.#socket) {
      if (this.status === "offline") this.#retryAt = 0;
    } else if (this.#open) {
      this.#judging = true;
      this.#ping();
    }
  }

  #ping(): void {
    this.#pinged = this.#askedAt = this.#now();
    this.#pongs++;
    this.#write({ type: "ping" });
  }

  #set(status: Status): void {
    if (this.status === status) return;
    this.status = status;
    this.#core.statusChanged(status);
  }

  #retry(): number {
    if (this.#now() < this.#retryAt) return this.#retryAt;
    if (this.status === "connecting") this.#closed(0); // the token does not come
    else this.#dial();
    return this.#retryAt;
  }

  start(): void {
    if (this.status !== "closed") this.tick(() => this.#dial());
  }

  /** Begins an attempt to connect. */
  #dial(): void {
    const attempt = ++this.#attempt;
    const { options } = this.#core;
    this.#set("connecting");
    this.#retryAt = this.#now() + dialTimeout;
    /** While the attempt lasts. */
    const then = <E>(fn: (e: E) => void) => (e: E) => {
      if (attempt === this.#attempt) this.tick(() => fn(e));
    };
    (async () => (typeof options.token === "function" ? options.token() : options.token))().then(
      then((token) => {
        const socket = (this.#socket = this.#connect());
        // The token goes into the first frame: a browser does not tell why an upgrade was refused, but it tells a close code.
        socket.onopen = then(() => {
          this.#open = true;
          if (token) this.#write({ type: "auth", token });
        });
        socket.onmessage = then((e) => this.#receive(JSON.parse(String(e.data)) as ServerFrame));
        socket.onclose = then((e) => this.#closed(e.code));
      }),
      then(() => this.#closed(0)),
    );
  }

  #connect(): Socket {
    const { env, options, base, view } = this.#core;
    const url = new URL(`v1/boards/${encodeURIComponent(options.board)}/ws`, base);
    url.protocol = url.protocol.replace("http", "ws");
    const { epoch, rev } = view.resume ?? {};
    const query = { part: options.part, user: options.user, ...(epoch && { since: rev, epoch }) };
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    this.#open = this.#judging = false;
    this.#pinged = this.#pongs = this.#blockedUntil = this.#goaway = this.#sent = 0;
    this.#heard = this.#spoke = this.#now();
    return env.socket(url.href, ["snapback.v1"]);
  }

  #gone(): void {
    const was = this.#socket;
    this.#socket = undefined;
    this.#ready = this.#open = false;
    this.#flights.clear();
    this.#core.entries.forEach((m) => (m.owed = 0));
    this.#core.view.disconnected();
    if (was) this.#core.tellParts("gone");
  }

  /** The socket is gone, or is given up. */
  #closed(code: number, atOnce = false): void {
    this.#attempt++;
    this.#gone();
    if (code >= 4500 && code < 5000) return this.close(code);
    const most = Math.min(backoff.min * 2 ** this.#failures++, backoff.max);
    const pause = this.#goaway || (most / 2) * (1 + this.#core.env.random());
    this.#set("offline");
    this.#retryAt = this.#now() + (atOnce ? 0 : pause);
  }

  /** What is due on the socket; gives when to come again. */
  #serve(): number {
    const now = this.#now();
    if (!this.#open ? now >= this.#retryAt : this.#pinged && now >= this.#pinged + pongTimeout) {
      this.restart();
      return this.#retryAt;
    }
    if (!this.#open) return this.#retryAt;
    let idle = Math.min(this.#heard, this.#spoke) + quiet;
    if (!this.#pinged && now >= idle) this.#ping();
    if (this.#pinged) idle = this.#pinged + pongTimeout;
    if (!this.#ready || this.#judging) return idle;
    for (const [m, flight] of this.#flights) {
      if (now >= flight.deadline) this.#silent(m, flight, now);
    }
    if (now >= this.#blockedUntil) this.#pump(now);
    const deadlines = [...this.#flights.values()].map((f) => f.deadline);
    return Math.min(idle, this.#blockedUntil > now ? this.#blockedUntil : Infinity, ...deadlines);
  }

  /** Law 5: the verdict is overdue, so the mutation is unconfirmed and asked for, again and again. */
  #silent(m: Entry, flight: Flight, now: number): void {
    m.ask = true;
    flight.deadline = now + this.hello!.limits.ackTimeoutMs;
    this.#write({ type: "cancel", clientMutationId: m.id });
    if (m.state === "unconfirmed") return;
    m.state = "unconfirmed";
    this.#core.silence(m);
  }

  /** Sends what waits, in the order made, as far as the connection may have in flight. */
  #pump(now: number): void {
    const { limits } = this.hello!;
    for (const { id } of [...this.#core.view.pending]) {
      const m = this.#core.entries.get(id);
      if (!m || this.#flights.has(m)) continue;
      if (m.state === "held" || this.#flights.size >= limits.inFlight) break;
      const frame = m.ask ? { type: "cancel", clientMutationId: id } : this.#core.frame(m, limits.frameBytes);
      if (!frame) continue;
      this.#write(frame);
      this.#flights.set(m, { order: ++this.#sent, sentAt: now, deadline: now + limits.ackTimeoutMs });
    }
  }

  #receive(f: ServerFrame): void {
    const core = this.#core;
    this.#heard = this.#now();
    if (this.#pinged) this.#pinged = this.#heard;
    switch (f.type) {
      case "hello":
        if (f.protocol !== 1) return this.close(4504);
        core.hear(f.serverTime);
        this.hello = f;
        core.tellParts("greeted", f);
        if (!this.#socket) return; // a part had it start afresh
        return core.apply(core.view.hello(f));
      case "sync":
        if (this.status === "live") {
          if (f.rev !== this.#rev && f.rev !== this.#rev + 1) return this.restart(); // law 1: a new join brings what is missing
          this.#rev = f.rev;
        }
        return core.apply(core.view.sync(f));
      case "ready":
        return this.#joined(f.rev);
      case "lag":
        this.#set("lagging");
        core.tellParts("lagging");
        return core.view.lag();
      case "ack":
        return core.apply(core.view.ack(f));
      case "nack":
        return this.#nack(f);
      case "pong":
        core.hear(f.serverTime);
        if (--this.#pongs > 0) return;
        this.latency = this.#heard - this.#askedAt;
        this.#pinged = 0;
        this.#judging = false;
        return;
      case "presence":
        return core.tellParts("presence", f);
      case "loaded":
      case "error":
        return core.loaded(f);
      case "goaway":
        this.#goaway = f.reconnectAfterMs;
    }
  }

  #joined(rev: number): void {
    this.#rev = rev;
    this.#core.apply(this.#core.view.ready(rev));
    this.#set("live");
    if (this.#ready) return;
    this.#ready = true;
    this.#failures = 0;
    this.#core.tellParts("live", this.hello!);
  }

  #nack(f: Nack): void {
    if (!f.retryable || f.code === "lab") return this.#core.apply(this.#core.view.nack(f));
    const m = this.#core.entries.get(f.clientMutationId);
    const flight = m && this.#flights.get(m);
    if (m?.owed) m.owed--;
    else if (flight) this.#refused(m, flight, Number(f.details?.["retryAfterMs"] ?? 1000));
  }

  /**
   * Law 7: the server refuses every later mutate of this connection until m is sent again. So all of them are sent again
   * after the pause, m first, and the refusals still to come are not counted.
   */
  #refused(m: Entry, flight: Flight, pause: number): void {
    const now = this.#now();
    if (m.ask) {
      flight.deadline = now + pause; // the cancel on its way frees the server; ask again should it be lost
      return;
    }
    for (const [other, { order }] of this.#flights) {
      if (order <= flight.order || other.ask) continue;
      other.owed++;
      this.#flights.delete(other);
    }
    this.#flights.delete(m);
    this.#blockedUntil = now + pause;
  }
}
