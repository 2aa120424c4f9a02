import { connect } from "./store.js";
import { load } from "./load.js";
import { undoStack } from "./undo.js";
import { presence } from "./presence.js";
import { offline } from "./offline.js";
export {
  connect,
  load,
  offline,
  presence,
  undoStack
};
