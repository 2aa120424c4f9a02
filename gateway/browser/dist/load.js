import { parentOf } from "./order.js";
let loads = 0;
function load(store, what) {
  const { engine } = store, id = ++loads, gone = /* @__PURE__ */ new Set();
  return new Promise((done, failed) => {
    const end = (error) => {
      engine.hooks.delete(hooks);
      if (error) failed(new Error(error));
    };
    const hooks = {
      confirmed: (ids) => ids.forEach((id2) => engine.view.confirmed(id2) || gone.add(id2)),
      loaded(f) {
        if (f.id !== id) return;
        end();
        const entities = f.entities.filter((e) => {
          if (engine.view.confirmed(e.id) || !gone.has(e.id) && !gone.has(parentOf(e))) return true;
          gone.add(e.id);
        });
        engine.apply(engine.view.load(entities));
        done({ entities, before: f.before });
      },
      error: (f) => f.id === id && end(f.reason),
      gone: () => end("connection lost")
    };
    engine.hooks.add(hooks);
    if (!engine.send({ type: "load", id, ...what })) end("not live");
  });
}
export {
  load
};
