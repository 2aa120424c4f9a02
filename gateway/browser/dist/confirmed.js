import { all, got, only, run } from "./database.js";
const pause = { usual: 250, failed: 6e4 };
function confirmed({ env, view }, kept, told) {
  let dirty = /* @__PURE__ */ new Set();
  const over = [];
  let isPlanned = false;
  let isWriting = false;
  const plan = (ms) => {
    if (isPlanned) return;
    isPlanned = true;
    env.setTimeout(() => {
      isPlanned = false;
      self.flush();
    }, ms);
  };
  const write = (db) => run(db, all, async (stores) => {
    const meta = await got(stores("meta").get(only));
    const at = view.resume;
    if (!at || !meta || meta.user !== kept().owner) return;
    const { since } = self;
    const ids = dirty;
    self.since = at;
    dirty = /* @__PURE__ */ new Set();
    for (const id of over.splice(0)) stores("pending").delete(id);
    const isSame = meta.epoch === at.epoch;
    if (isSame && meta.rev > at.rev) return;
    const entities = stores("entities");
    if (isSame && since?.epoch === at.epoch && meta.rev >= since.rev) {
      for (const id of ids) {
        const entity = view.confirmed(id);
        if (entity) entities.put(entity);
        else entities.delete(id);
      }
    } else {
      entities.clear();
      for (const entity of view.allConfirmed()) entities.put(entity);
    }
    stores("meta").put({ user: meta.user, ...at }, only);
  });
  const self = {
    since: void 0,
    moved(ids) {
      for (const id of ids) dirty.add(id);
      plan(pause.usual);
    },
    settled(id) {
      if (kept().db) over.push(id);
      plan(pause.usual);
    },
    flush() {
      const { db } = kept();
      if (!db || !(dirty.size + over.length) || isWriting) return;
      isWriting = true;
      const before = dirty;
      write(db).then(
        () => {
          isWriting = false;
          if (dirty !== before && dirty.size + over.length) plan(pause.usual);
          told();
        },
        (e) => {
          isWriting = false;
          plan(pause.failed);
          told(e);
        }
      );
    }
  };
  return self;
}
export {
  confirmed
};
