// The connection: joins the board, brings frames to the view, sends what is pending and asks for overdue verdicts, over as
// many sockets as it takes, to one server after the other. It has one timer; every input ends in tick, which does what is due.

import type { Core } from "./core.js";
import type { Entry } from "./engine.js";
import type { Socket } from "./env.js";
import type { Ack, Hello, Nack, ServerFrame, Sync } from "./frames.js";
import type { Status } from "./types.js";

// Milliseconds.
const quiet = 5000; // without a frame one way: ping
const pongTimeout = 3000;
const dialTimeout = 15000;
const firstDialTimeout = 4000; // while there are servers that have not been tried
const late = 1000; // a timer later than this means that the page did not run
const jump = 2000; // of the wall clock: so does this
const beat = 1000; // how often to look at the clock while a verdict is awaited, so that little time passes unnoticed
const keep = 20; // how long a sync may wait for an ack, which is none of ours if it does not come
const minPause = 125; // between attempts: this at least and its double at most, at random
const maxPause = 5000; // the same, when many have failed

export interface Link {
  readonly status: Status;
  readonly closeCode: number | undefined;
  /** The newest. */
  readonly hello: Hello | undefined;
  /** Milliseconds of the newest ping's round trip. */
  readonly latency: number | undefined;
  start(): void;
  /** Does what is due. */
  tick(): void;
  /** Withdraws what was sent; false if it never was. */
  cancel(m: Entry): boolean;
  /** Ends the wait for a verdict to what was sent here. */
  landed(m: Entry): void;
  /** Writes a frame if live. */
  send(frame: object): boolean;
  /** Gives the socket up and joins on another, at once if this one had been good. */
  restart(): void;
  /** Ends for good. */
  close(code: number): void;
}

export function openLink(core: Core): Link {
  const { env, options, servers, view, entries, said } = core;

  const path = `v1/boards/${encodeURIComponent(options.board)}/ws`;

  // Of this socket.
  let socket: Socket | undefined;
  let isOpen = false;
  let isReady = false;
  let rev = 0; // of the last live sync: the next one has this or one more
  const flights = new Map<Entry, number>(); // what was sent and waits for its verdict, in that order; until when, in running time
  let heardAt = 0;
  let spokeAt = 0;
  let pingedAt = 0; // since when a ping waits for a sign of life, 0: none does
  let askedAt = 0; // when the last ping was sent
  let pongs = 0; // still to come
  let isJudging = false; // the page may have slept: nothing is judged or sent before the pong
  let blockedUntil = 0; // law 7
  let leaveAt = Infinity; // the server is to stop
  let kept: Sync[] = []; // live syncs from one of our own on: it is shown together with its ack, which is on its way
  let keptAt = 0;

  // Over sockets.
  let status: Status = "connecting";
  let closeCode: number | undefined;
  let hello: Hello | undefined;
  let latency: number | undefined;
  let attempt = 0; // the servers take turns
  let dialledAt = 0;
  let failures = 0;
  let retryAt = Infinity; // without a socket: when to dial, or while one is opening to give it up
  let timer: unknown;
  let due = Infinity; // when the timer should go off, by env.monotonic
  let lost = 0; // time in which the page did not run
  let drift = env.wall() - env.monotonic();
  const deaf = env.onWake(() => tick(wake));

  /** Does what is due, after fn. */
  function tick(fn?: () => void): void {
    if (closeCode) return;
    core.run(() => {
      notice();
      fn?.();
      env.clearTimeout(timer);
      if (closeCode) return;
      const next = socket ? serve() : retry();
      if (closeCode) return;
      const wait = Math.min(Math.max(next - time(), 1), flights.size ? beat : Infinity);
      due = env.monotonic() + wait;
      if (wait < Infinity) timer = env.setTimeout(tick, wait);
    });
  }

  /** Running time: it stands still while the page does not run. */
  function time(): number {
    return env.monotonic() - lost;
  }

  /** Notices that the page did not run, or the machine slept: deadlines move, and nothing is judged before a pong. */
  function notice(): void {
    const over = env.monotonic() - due;
    const apart = env.wall() - env.monotonic();
    if (over > late) {
      lost += over;
      leaveAt -= over; // the server did not wait
    } else if (Math.abs(apart - drift) < jump) return;
    due = Infinity;
    drift = apart;
    wake();
  }

  function wake(): void {
    if (isOpen) {
      isJudging || ping(); // a page that is let run once a minute finds a dead connection too
      isJudging = true;
    } else if (status === "offline") retryAt = 0;
  }

  function ping(): void {
    pingedAt = askedAt = time();
    pongs++;
    write({ type: "ping" });
  }

  function write(frame: object): void {
    spokeAt = time();
    socket?.send(JSON.stringify(frame));
  }

  function send(frame: object): boolean {
    if (isReady) write(frame);
    return isReady;
  }

  function become(now: Status): void {
    if (status !== now) core.tellStatus((status = now));
  }

  function retry(): number {
    if (time() < retryAt) return retryAt;
    if (status === "connecting") closed(0); // the token does not come
    else dial();
    return retryAt;
  }

  /** Begins an attempt to connect. */
  function dial(): void {
    const mine = attempt;
    become("connecting");
    dialledAt = time();
    retryAt = dialledAt + (failures < servers.length - 1 ? firstDialTimeout : dialTimeout);
    /** While the attempt lasts. */
    const then = <E>(fn: (e: E) => void) => (e: E) => {
      if (mine === attempt) tick(() => fn(e));
    };
    (async () => (typeof options.token === "function" ? options.token() : options.token))().then(
      then((token) => {
        const url = new URL(path, servers[mine % servers.length]);
        const { part, user } = options, { rev: since, epoch } = view.resume ?? {};
        for (const [name, value] of Object.entries({ part, user, since, epoch })) {
          if (value) url.searchParams.set(name, String(value));
        }
        isJudging = false;
        pingedAt = pongs = blockedUntil = 0;
        heardAt = spokeAt = time();
        socket = env.socket(url.href.replace(/^http/, "ws"), ["snapback.v1"]);
        // The token goes into the first frame: a browser does not tell why an upgrade was refused, but it tells a close code.
        socket.onopen = then(() => {
          isOpen = true;
          if (token) write({ type: "auth", token });
        });
        socket.onmessage = then((e) => {
          try {
            receive(JSON.parse(e.data as string) as ServerFrame);
          } catch {
            view.resume = undefined; // who knows what came of it
            restart();
          }
        });
        socket.onclose = then((e) => closed(e.code));
      }),
    ).catch(then(() => closed(0)));
  }

  /** The socket is gone, or is given up. */
  function closed(code: number, atOnce = false): void {
    const had = socket;
    attempt++;
    socket = undefined;
    isReady = isOpen = false;
    kept = [];
    flights.clear();
    entries.forEach((m) => (m.owed = 0));
    view.disconnected();
    if (had) core.tell("gone");
    if (code >= 4500) return close(code);
    let pause = Math.min(minPause * 2 ** Math.floor(failures / servers.length), maxPause) * (1 + env.random());
    if (leaveAt < Infinity && leaveAt > dialledAt + late) pause = Math.min(leaveAt - time(), maxPause);
    else if (failures++, atOnce) pause = 0;
    leaveAt = Infinity;
    retryAt = time() + pause;
    if (closeCode) return;
    if (pause > 0) become("offline");
    else dial();
  }

  function restart(): void {
    const dead = socket;
    closed(0, !failures);
    dead?.close(1000);
  }

  function close(code: number): void {
    if (closeCode) return;
    closeCode = code;
    env.clearTimeout(timer);
    deaf();
    restart();
    become("closed");
    core.ended();
  }

  /** What is due on the socket; gives when to come again. */
  function serve(): number {
    const now = time();
    if (!isOpen ? now >= retryAt : now >= leaveAt || (pingedAt && now >= pingedAt + pongTimeout)) restart();
    if (!isOpen) return retryAt;
    let idle = Math.min(heardAt, spokeAt) + quiet;
    if (!pingedAt && now >= idle) ping();
    idle = Math.min(leaveAt, pingedAt ? pingedAt + pongTimeout : idle);
    if (!isReady || isJudging) return idle;
    if (kept[0] && now >= keptAt + keep) take(Infinity);
    for (const [m, deadline] of flights) if (now >= deadline) silent(m, now);
    if (now >= blockedUntil) pump(now);
    else idle = Math.min(idle, blockedUntil);
    return Math.min(idle, kept[0] ? keptAt + keep : idle, ...flights.values());
  }

  /** Law 5: the verdict is overdue, so the mutation is unconfirmed and asked for, again and again. */
  function silent(m: Entry, now: number): void {
    m.ask = true;
    flights.set(m, now + hello!.limits.ackTimeoutMs);
    write(cancelOf(m));
    if (m.state === "unconfirmed") return;
    m.state = "unconfirmed";
    core.silence(m);
  }

  /** Sends what waits, in the order made, as far as the connection may have in flight. */
  function pump(now: number): void {
    const { inFlight, frameBytes, ackTimeoutMs } = hello!.limits;
    for (const { id } of view.pending) { // replaced when one ends, not altered
      const m = entries.get(id);
      if (!m || flights.has(m)) continue;
      if (m.state === "held" || flights.size >= inFlight) break;
      const frame = m.ask ? cancelOf(m) : core.frame(m, frameBytes);
      if (!frame) continue;
      write(frame);
      flights.set(m, now + ackTimeoutMs);
    }
  }

  function receive(f: ServerFrame): void {
    heardAt = time();
    if (pingedAt) pingedAt = heardAt;
    switch (f.type) {
      case "hello":
        if (hello && f.user !== hello.user) return close(4500); // what is pending is not his; a store has one user
        core.hear(f.serverTime);
        if (time() > dialledAt + late) wake(); // it may have waited for the page, and its time is that old
        hello = f;
        said.clear();
        core.tell("greeted", f);
        if (socket) core.apply(view.hello(f)); // else a part had it start afresh
        return;
      case "sync":
        if (status === "live") {
          if (f.rev !== rev && f.rev !== rev + 1) return restart(); // law 1: a new join brings what is missing
          rev = f.rev;
          if (kept[0] || (flights.size && f.by === hello!.user)) {
            if (!kept[0]) keptAt = heardAt;
            kept.push(f);
            return;
          }
        }
        return core.apply(view.sync(f));
      case "ready":
        rev = f.rev;
        core.apply(view.ready(rev));
        become("live");
        if (isReady) return;
        isReady = true;
        return core.tell("live", hello!);
      case "lag":
        if (kept[0]) take(Infinity);
        become("lagging");
        said.clear();
        core.tell("lagging");
        return view.lag();
      case "ack":
        return status === "live" ? take(f.rev, f) : core.apply(view.ack(f));
      case "nack":
        return nacked(f);
      case "pong":
        if (--pongs > 0) return;
        latency = heardAt - askedAt;
        core.hear(f.serverTime, latency > late);
        pingedAt = failures = 0;
        isJudging = false;
        return;
      case "goaway":
        leaveAt = heardAt + Math.max(+f.reconnectAfterMs || 0, 0);
        return;
      case "presence":
        said.set(f.session, f);
        if (f.data == null) said.delete(f.session);
        return core.tell("presence", f);
      case "loaded":
      case "error":
        core.tell(f.type, f as never);
    }
  }

  /** Takes the syncs that were kept, up to that rev and on to the next of our own, together with the ack they waited for. */
  function take(upTo: number, ack?: Ack): void {
    let at = view.resume!.rev;
    view.lag();
    for (let f; (f = kept[0]) && (f.rev <= upTo || f.by !== hello!.user); at = f.rev) view.sync(kept.shift()!);
    if (ack) view.ack(ack);
    core.apply(view.ready(at));
  }

  function nacked(f: Nack): void {
    if (!f.retryable) return core.apply(view.nack(f));
    const m = entries.get(f.clientMutationId)!;
    if (m?.owed) m.owed--;
    else if (flights.has(m)) refused(m, time() + ((f.details?.["retryAfterMs"] ?? 1000) as number));
  }

  /**
   * Law 7: the server refuses every later mutate of this connection until m is sent again. So all of them are sent again
   * after the pause, m first, and the refusals still to come are not counted.
   */
  function refused(m: Entry, until: number): void {
    if (m.ask) {
      flights.set(m, until); // the cancel on its way frees the server; ask again should it be lost
      return;
    }
    let isLater = false;
    for (const other of flights.keys()) { // in the order sent
      if (isLater && !other.ask) {
        other.owed++;
        flights.delete(other);
      }
      isLater ||= other === m;
    }
    flights.delete(m);
    blockedUntil = until;
  }

  return {
    get status() { return status; },
    get closeCode() { return closeCode; },
    get hello() { return hello; },
    get latency() { return latency; },
    start: () => tick(dial),
    tick,
    cancel(m) {
      if (!m.expiresAt) return false;
      m.ask = true;
      if (flights.has(m)) send(cancelOf(m));
      return true;
    },
    landed: (m) => void flights.delete(m),
    send, restart, close,
  };
}

const cancelOf = ({ id }: Entry) => ({ type: "cancel", clientMutationId: id });
