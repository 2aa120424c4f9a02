export { connect, Store } from "./store.js";
export type { Inspection, Page } from "./store.js";
export type * from "./entities.js";
export type * from "./types.js";
