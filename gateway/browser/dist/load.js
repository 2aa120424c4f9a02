let loads = 0;
function load(store, what) {
  const { engine } = store, id = ++loads;
  return new Promise((done, failed) => {
    const end = (error) => {
      engine.hooks.delete(hooks);
      if (error) failed(new Error(error));
    };
    const hooks = {
      loaded(f) {
        if (f.id !== id) return;
        end();
        engine.apply(engine.view.load(f.entities));
        done(f);
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
