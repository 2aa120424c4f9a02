import { connect, Store } from "./store.js";
export {
  Store,
  connect
};
