// The connection: joins a board, keeps the store filled, sends what is pending
// and brings back each verdict, over as many sockets as it takes.

const QUIET = 5000, NO_PONG = 3000, TTL = 4000; // ms

export class Connection {
  #socket = null;
  #hello = null;
  #ready = false;
  #flight = new Map(); // id -> {order, deadline}: sent on this socket, no verdict yet
  #fate = new Map(); // id -> {frame, ask, owed, done}: of every pending mutation
  #sent = 0;
  #blockedUntil = 0;
  #failures = 0;
  #goaway = 0;
  #heard = 0;
  #spoke = 0;
  #pinged = 0;
  #timer = 0;
  #retry = 0;
  #clock = { server: Date.now(), at: performance.now() };
  #stopped = false;

  // on: {changed(ids), verdict(mutation, nack|null), state(name, detail), peers(map)}
  constructor(store, { board, user, token, on }) {
    Object.assign(this, { store, board, user, token, on, peers: new Map() });
    this.#open();
    if (!token) this.#probe().then((final) => final?.status === 401 && !this.#stopped && this.#stop(final));
  }

  get role() {
    return this.#hello?.role ?? '';
  }

  now() {
    return this.#clock.server + performance.now() - this.#clock.at;
  }

  // mutate shows the changes at once and sends them; on.verdict tells how it went.
  mutate(...changes) {
    const id = ulid(this.now());
    this.#fate.set(id, { frame: null, ask: false, owed: 0 });
    this.on.changed(this.store.mutate(id, changes));
    this.#tick();
    return id;
  }

  presence(data) {
    if (this.#ready) this.#send({ type: 'presence', data });
  }

  close() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #open() {
    const url = new URL(`/v1/boards/${encodeURIComponent(this.board)}/ws`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.store.position) {
      url.searchParams.set('since', this.store.position.rev);
      url.searchParams.set('epoch', this.store.position.epoch);
    }
    if (!this.token) url.searchParams.set('user', this.user);
    this.on.state('connecting');
    const socket = new WebSocket(url, ['snapback.v1', ...(this.token ? [`snapback.bearer.${this.token}`] : [])]);
    this.#socket = socket;
    this.#hello = null;
    this.#ready = false;
    this.#pinged = this.#blockedUntil = this.#goaway = 0;
    this.#heard = this.#spoke = performance.now();
    socket.onopen = () => this.#tick();
    socket.onmessage = (e) => {
      if (socket !== this.#socket) return;
      this.#receive(JSON.parse(e.data));
      this.#tick();
    };
    socket.onclose = (e) => socket === this.#socket && this.#closed(e.code, e.reason);
  }

  async #closed(code, reason) {
    const joined = this.#hello !== null;
    this.#socket = null;
    this.#ready = false;
    clearTimeout(this.#timer);
    this.#flight.clear();
    for (const f of this.#fate.values()) f.owed = 0;
    this.store.disconnected();
    this.peers.clear();
    this.on.peers(this.peers);
    if (this.#stopped) return;
    const final = code >= 4500 ? { code, reason, joined } : joined ? null : await this.#probe();
    if (this.#stopped) return;
    if (final) return this.#stop(final);
    const backoff = Math.min(250 * 2 ** this.#failures++, 10000);
    this.on.state('offline');
    this.#retry = setTimeout(() => this.#open(), this.#goaway || backoff / 2 + (Math.random() * backoff) / 2);
  }

  #stop(why) {
    this.close();
    this.on.state('stopped', why);
  }

  // #probe asks over HTTP why a socket did not open: a browser does not tell.
  async #probe() {
    try {
      const answer = await fetch(api(`/v1/boards/${encodeURIComponent(this.board)}`, this), { headers: credentials(this) });
      answer.body?.cancel();
      return [401, 403, 404].includes(answer.status) ? { status: answer.status } : null;
    } catch {
      return null;
    }
  }

  #send(frame) {
    this.#spoke = performance.now();
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  #receive(f) {
    const { store, on } = this;
    this.#heard = performance.now();
    this.#pinged = 0;
    if (f.serverTime) this.#clock = { server: Date.parse(f.serverTime), at: performance.now() };
    switch (f.type) {
      case 'hello':
        this.#hello = f;
        return on.changed(store.hello(f));
      case 'sync':
        return on.changed(store.sync(f));
      case 'ready':
        on.changed(store.ready(f.rev));
        this.#ready = true;
        this.#failures = 0;
        return on.state('live', this.#hello);
      case 'lag':
        this.peers.clear();
        return store.lag();
      case 'ack':
        return this.#verdict(f.clientMutationId, null, () => store.ack(f.clientMutationId));
      case 'nack':
        if (f.retryable && f.code !== 'lab') return this.#refused(f);
        return this.#verdict(f.clientMutationId, f, () => store.nack(f.clientMutationId));
      case 'presence':
        if (f.data === null) this.peers.delete(f.session);
        else this.peers.set(f.session, f);
        return on.peers(this.peers);
      case 'goaway':
        this.#goaway = f.reconnectAfterMs;
    }
  }

  #verdict(id, nack, drop) {
    this.#flight.delete(id);
    const m = this.store.pending.get(id);
    const known = this.#fate.delete(id);
    this.on.changed(drop());
    if (known) this.on.verdict(m, nack);
  }

  // #refused handles law 7: the server refuses all later mutates of this socket
  // until this one is sent again, so all are, in order, after the pause.
  #refused(nack) {
    const id = nack.clientMutationId, fate = this.#fate.get(id), at = this.#flight.get(id);
    const pause = nack.details?.retryAfterMs ?? 1000;
    if (fate?.owed) fate.owed--;
    else if (at && fate.ask) at.deadline = performance.now() + pause;
    else if (at) {
      this.#blockedUntil = performance.now() + pause;
      for (const [other, { order }] of this.#flight) {
        const later = this.#fate.get(other);
        if (order > at.order && !later.ask) {
          later.owed++;
          this.#flight.delete(other);
        }
      }
      this.#flight.delete(id);
    }
  }

  // #tick does what is due and comes again when something will be.
  #tick() {
    clearTimeout(this.#timer);
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const now = performance.now();
    if (this.#pinged && now >= this.#pinged + NO_PONG) {
      const dead = this.#socket;
      this.#closed(1006, 'no sign of life');
      return dead.close();
    }
    const quiet = Math.min(this.#heard, this.#spoke) + QUIET;
    if (!this.#pinged && now >= quiet) {
      this.#pinged = now;
      this.#send({ type: 'ping' });
    }
    let next = this.#pinged ? this.#pinged + NO_PONG : quiet;
    if (this.#ready) next = Math.min(next, this.#pump(now));
    this.#timer = setTimeout(() => this.#tick(), Math.max(next - now, 1));
  }

  #pump(now) {
    const { ackTimeoutMs, inFlight } = this.#hello.limits;
    let next = Infinity;
    for (const [id, at] of this.#flight) {
      if (now >= at.deadline) { // law 5: overdue, so unconfirmed and asked for
        this.#fate.get(id).ask = true;
        at.deadline = now + ackTimeoutMs;
        this.store.silence(id);
        this.#send({ type: 'cancel', clientMutationId: id });
        this.on.changed(this.store.pending.get(id).changes.map((c) => c.entityId));
      }
      next = Math.min(next, at.deadline);
    }
    if (now < this.#blockedUntil) return Math.min(next, this.#blockedUntil);
    for (const m of this.store.pending.values()) {
      const fate = this.#fate.get(m.id);
      if (!fate || this.#flight.has(m.id)) continue;
      if (this.#flight.size >= inFlight) break;
      fate.frame ??= JSON.stringify({
        type: 'mutate', clientMutationId: m.id, expiresAt: new Date(this.now() + TTL).toISOString(),
        ...(m.changes.length === 1 ? m.changes[0] : { changes: m.changes }),
      });
      this.#send(fate.ask ? { type: 'cancel', clientMutationId: m.id } : fate.frame);
      this.#flight.set(m.id, { order: ++this.#sent, deadline: now + ackTimeoutMs });
      next = Math.min(next, now + ackTimeoutMs);
    }
    return next;
  }
}

// api gives the URL of an endpoint for this user, credentials the header.
export function api(path, { user, token }) {
  const url = new URL(path, location.href);
  if (!token) url.searchParams.set('user', user);
  return url;
}

export function credentials({ token }) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function ulid(now) {
  let time = Math.floor(now), id = '';
  for (let i = 0; i < 10; i++, time = Math.floor(time / 32)) id = BASE32[time % 32] + id;
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += BASE32[byte % 32];
  return id;
}
