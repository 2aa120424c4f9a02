import { Listeners } from "./core.js";
const LIMIT = 1024;
const INTERVAL = 100;
function presence(store) {
  const { engine } = store;
  const { env } = engine;
  let listeners = new Listeners();
  const mine = /* @__PURE__ */ new Set();
  let others = [];
  let wanted = "null";
  let told = "null";
  let timer;
  const show = (next) => {
    if (next === others || !(next.length + others.length)) return;
    others = next;
    listeners.tell(others);
  };
  const tell = () => {
    if (timer !== void 0 || wanted === told) return;
    if (!engine.send({ type: "presence", data: JSON.parse(wanted) })) return;
    told = wanted;
    timer = env.setTimeout(() => {
      timer = void 0;
      tell();
    }, INTERVAL);
  };
  const anew = () => {
    env.clearTimeout(timer);
    timer = void 0;
    told = "null";
  };
  const hear = ({ session, user, name, picture, data }) => {
    if (mine.has(session)) return;
    const from = others.findIndex((p) => p.session >= session);
    const at = from < 0 ? others.length : from;
    const was = others[at]?.session === session ? others[at] : void 0;
    const next = others.slice();
    if (data == null) {
      if (!was) return;
      next.splice(at, 1);
    } else {
      const peer = { session, user, name, picture, data };
      if (was && JSON.stringify(was) === JSON.stringify(peer)) return;
      next.splice(at, was ? 1 : 0, peer);
    }
    show(next);
  };
  const hooks = {
    greeted: (hello) => void mine.add(hello.session),
    live() {
      anew();
      tell();
    },
    gone() {
      anew();
      show([]);
    },
    lagging: () => show([]),
    presence: hear,
    closed: () => end()
  };
  const end = () => {
    engine.hooks.delete(hooks);
    anew();
    show([]);
    listeners = new Listeners();
  };
  engine.hooks.add(hooks);
  if (store.me) mine.add(store.me.session);
  if (store.status === "live") engine.said.forEach(hear);
  return {
    set(data) {
      const text = JSON.stringify(data ?? null);
      const bytes = new TextEncoder().encode(text).length;
      if (bytes > LIMIT) throw new RangeError(`presence: ${bytes} bytes of JSON, the limit is ${LIMIT}`);
      wanted = text;
      tell();
    },
    get others() {
      return others;
    },
    subscribe: (fn) => listeners.add(fn),
    close() {
      if (told !== "null") engine.send({ type: "presence", data: null });
      end();
    }
  };
}
export {
  presence
};
