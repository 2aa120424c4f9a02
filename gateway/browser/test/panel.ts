// The panel on a page, on a store whose server is the test.

import { attachPanel, type SnapbackPanel } from "../src/devtools.js";
import { connect } from "../src/store.js";
import { card, World } from "./world.js";

const world = new World();
const board = connect({ url: "http://board.test", board: "b", env: world.env });
const detach = attachPanel(board);
const panel = document.querySelector<SnapbackPanel>("snapback-panel")!;
const bodies = () => [...panel.shadowRoot!.querySelectorAll("tbody")];

export const summary = () => panel.shadowRoot!.querySelector("summary")!.textContent;
export const rows = () => bodies().map((b) => [...b.rows].map((r) => [...r.cells].map((c) => c.textContent).join(" ")).join("; ")).join(" | ");
export const heads = () => [...panel.shadowRoot!.querySelectorAll("caption, th[scope=col]")].map((e) => e.textContent).join(", ");
export const listening = () => board.engine.hooks.size;

export async function begin(): Promise<void> {
  await world.join([card("a")]);
  board.mutate("a", { title: "A" });
  board.mutate("a", { liked: true });
}

let marked: Element | undefined;
/** The oldest pending mutation gets its verdict. */
export function decide(code?: string): void {
  marked = bodies()[0]!.rows[1];
  const clientMutationId = board.inspect().pending[0]!.id;
  if (code) world.socket.say({ type: "nack", clientMutationId, code, reason: "", retryable: false });
  else world.socket.say({ type: "ack", clientMutationId, rev: 11, events: 1 });
}
/** Is the row that was the second still the same element? */
export const same = () => bodies()[0]!.rows[0] === marked;

/** Takes it away, puts it back. */
export function move(): void {
  panel.remove();
  if (board.engine.hooks.size) throw new Error("it listens still");
  document.body.append(panel);
}

export { detach };

/** Takes it a store that was set before the element was defined? */
export function early(): boolean {
  const late = document.createElement("snapback-panel");
  Object.defineProperty(late, "store", { value: board, configurable: true, writable: true, enumerable: true });
  document.body.append(late);
  const taken = !Object.hasOwn(late, "store") && late.store === board && board.engine.hooks.size === 2;
  late.remove();
  return taken;
}
