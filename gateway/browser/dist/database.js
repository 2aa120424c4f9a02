const all = ["entities", "meta", "pending"];
const only = 0;
const got = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});
function open(factory, name) {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => {
    for (const store of all) request.result.createObjectStore(store, store === "meta" ? {} : { keyPath: "id" });
  };
  return got(request);
}
async function run(db, names, body) {
  const tx = db.transaction(names, "readwrite");
  const done = new Promise((committed, failed) => {
    tx.oncomplete = () => committed();
    tx.onabort = () => failed(tx.error);
  });
  done.catch(() => {
  });
  try {
    const result = await body((name) => tx.objectStore(name));
    await done;
    return result;
  } catch (e) {
    try {
      tx.abort();
    } catch {
    }
    throw e;
  }
}
const clear = (stores) => all.forEach((name) => stores(name).clear());
export {
  all,
  clear,
  got,
  only,
  open,
  run
};
