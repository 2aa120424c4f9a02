const quiet = 5e3;
const pongTimeout = 3e3;
const dialTimeout = 15e3;
const firstDialTimeout = 4e3;
const late = 1e3;
const jump = 2e3;
const beat = 1e3;
const keep = 20;
const minPause = 125;
const maxPause = 5e3;
function openLink(core) {
  const { env, options, servers, view, entries, said } = core;
  const path = `v1/boards/${encodeURIComponent(options.board)}/ws`;
  let socket;
  let isOpen = false;
  let isReady = false;
  let rev = 0;
  const flights = /* @__PURE__ */ new Map();
  let heardAt = 0;
  let spokeAt = 0;
  let pingedAt = 0;
  let askedAt = 0;
  let pongs = 0;
  let isJudging = false;
  let blockedUntil = 0;
  let leaveAt = Infinity;
  let kept = [];
  let keptAt = 0;
  let status = "connecting";
  let closeCode;
  let hello;
  let latency;
  let attempt = 0;
  let dialledAt = 0;
  let failures = 0;
  let retryAt = Infinity;
  let timer;
  let due = Infinity;
  let lost = 0;
  let drift = env.wall() - env.monotonic();
  const deaf = env.onWake(() => tick(wake));
  function tick(fn) {
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
  function time() {
    return env.monotonic() - lost;
  }
  function notice() {
    const over = env.monotonic() - due;
    const apart = env.wall() - env.monotonic();
    if (over > late) {
      lost += over;
      leaveAt -= over;
    } else if (Math.abs(apart - drift) < jump) return;
    due = Infinity;
    drift = apart;
    wake();
  }
  function wake() {
    if (isOpen) {
      isJudging || ping();
      isJudging = true;
    } else if (status === "offline") retryAt = 0;
  }
  function ping() {
    pingedAt = askedAt = time();
    pongs++;
    write({ type: "ping" });
  }
  function write(frame) {
    spokeAt = time();
    socket?.send(JSON.stringify(frame));
  }
  function send(frame) {
    if (isReady) write(frame);
    return isReady;
  }
  function become(now) {
    if (status !== now) core.tellStatus(status = now);
  }
  function retry() {
    if (time() < retryAt) return retryAt;
    if (status === "connecting") closed(0);
    else dial();
    return retryAt;
  }
  function dial() {
    const mine = attempt;
    become("connecting");
    dialledAt = time();
    retryAt = dialledAt + (failures < servers.length - 1 ? firstDialTimeout : dialTimeout);
    const then = (fn) => (e) => {
      if (mine === attempt) tick(() => fn(e));
    };
    (async () => typeof options.token === "function" ? options.token() : options.token)().then(
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
        socket.onopen = then(() => {
          isOpen = true;
          if (token) write({ type: "auth", token });
        });
        socket.onmessage = then((e) => {
          try {
            receive(JSON.parse(e.data));
          } catch {
            view.resume = void 0;
            restart();
          }
        });
        socket.onclose = then((e) => closed(e.code));
      })
    ).catch(then(() => closed(0)));
  }
  function closed(code, atOnce = false) {
    const had = socket;
    attempt++;
    socket = void 0;
    isReady = isOpen = false;
    kept = [];
    flights.clear();
    entries.forEach((m) => m.owed = 0);
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
  function restart() {
    const dead = socket;
    closed(0, !failures);
    dead?.close(1e3);
  }
  function close(code) {
    if (closeCode) return;
    closeCode = code;
    env.clearTimeout(timer);
    deaf();
    restart();
    become("closed");
    core.ended();
  }
  function serve() {
    const now = time();
    if (!isOpen ? now >= retryAt : now >= leaveAt || pingedAt && now >= pingedAt + pongTimeout) restart();
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
  function silent(m, now) {
    m.ask = true;
    flights.set(m, now + hello.limits.ackTimeoutMs);
    write(cancelOf(m));
    if (m.state === "unconfirmed") return;
    m.state = "unconfirmed";
    core.silence(m);
  }
  function pump(now) {
    const { inFlight, frameBytes, ackTimeoutMs } = hello.limits;
    for (const { id } of view.pending) {
      const m = entries.get(id);
      if (!m || flights.has(m)) continue;
      if (m.state === "held" || flights.size >= inFlight) break;
      const frame = m.ask ? cancelOf(m) : core.frame(m, frameBytes);
      if (!frame) continue;
      write(frame);
      flights.set(m, now + ackTimeoutMs);
    }
  }
  function receive(f) {
    heardAt = time();
    if (pingedAt) pingedAt = heardAt;
    switch (f.type) {
      case "hello":
        if (hello && f.user !== hello.user) return close(4500);
        core.hear(f.serverTime);
        if (time() > dialledAt + late) wake();
        hello = f;
        said.clear();
        core.tell("greeted", f);
        if (socket) core.apply(view.hello(f));
        return;
      case "sync":
        if (status === "live") {
          if (f.rev !== rev && f.rev !== rev + 1) return restart();
          rev = f.rev;
          if (kept[0] || flights.size && f.by === hello.user) {
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
        return core.tell("live", hello);
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
        core.tell(f.type, f);
    }
  }
  function take(upTo, ack) {
    let at = view.resume.rev;
    view.lag();
    for (let f; (f = kept[0]) && (f.rev <= upTo || f.by !== hello.user); at = f.rev) view.sync(kept.shift());
    if (ack) view.ack(ack);
    core.apply(view.ready(at));
  }
  function nacked(f) {
    if (!f.retryable) return core.apply(view.nack(f));
    const m = entries.get(f.clientMutationId);
    if (m?.owed) m.owed--;
    else if (flights.has(m)) refused(m, time() + (f.details?.["retryAfterMs"] ?? 1e3));
  }
  function refused(m, until) {
    if (m.ask) {
      flights.set(m, until);
      return;
    }
    let isLater = false;
    for (const other of flights.keys()) {
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
    get status() {
      return status;
    },
    get closeCode() {
      return closeCode;
    },
    get hello() {
      return hello;
    },
    get latency() {
      return latency;
    },
    start: () => tick(dial),
    tick,
    cancel(m) {
      if (!m.expiresAt) return false;
      m.ask = true;
      if (flights.has(m)) send(cancelOf(m));
      return true;
    },
    landed: (m) => void flights.delete(m),
    send,
    restart,
    close
  };
}
const cancelOf = ({ id }) => ({ type: "cancel", clientMutationId: id });
export {
  openLink
};
