// What test/webclient has on its pages, beside the client itself.

import { createRoot } from "react-dom/client";

import { mount } from "../recipes/plain.js";
import type { Card, Store } from "../src/index.js";
import { BoardProvider, useBoard, useChildren, useEntity, useList, useMutation, usePending } from "../src/react.js";

export * from "../src/index.js";
export { offline } from "../src/offline.js";

/** The recipe in plain DOM. */
export const mountPosts = (store: Store) => mount(document.body, store);

/** The hooks of React. Gives what takes it away again. */
export function mountBoard(store: Store): () => void {
  const root = createRoot(document.body);
  root.render(<BoardProvider store={store}><Columns /></BoardProvider>);
  return () => root.unmount();
}

function Columns() {
  const { status } = useBoard();
  return <main data-status={status}>{useList("column").map((c) => <Column key={c.id} id={c.id} />)}</main>;
}

const Column = ({ id }: { id: string }) => (
  <ul data-id={id}>{useChildren(id, "card").map((card) => <Post key={card.id} id={card.id} />)}</ul>
);

function Post({ id }: { id: string }) {
  const card = useEntity<Card>(id);
  const { mutate, error } = useMutation();
  const pending = usePending(id);
  return card && (
    <li data-id={id} aria-busy={pending}>
      {card.title} <button onClick={() => mutate(id, { columnId: "doing" })}>Do it</button> {error && <em>{error.code}</em>}
    </li>
  );
}
