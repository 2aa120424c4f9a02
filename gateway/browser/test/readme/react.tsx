import type { Card } from "@snapback/client";
import { BoardProvider, useChildren, useEntity, useList, useMutation, usePending } from "@snapback/client/react";

export const App = () => (
  <BoardProvider options={{ url: "http://localhost:8080", board: "demo", user: "ann" }}>
    <Columns />
  </BoardProvider>
);

const Columns = () => useList("column").map((column) => <Column key={column.id} id={column.id} />);

const Column = ({ id }: { id: string }) => (
  <ul>{useChildren(id, "card").map((card) => <Post key={card.id} id={card.id} />)}</ul>
);

function Post({ id }: { id: string }) {
  const card = useEntity<Card>(id);
  const pending = usePending(id);
  const { mutate, error } = useMutation();
  return card && (
    <li aria-busy={pending}>
      {card.title} <button aria-pressed={card.liked} onClick={() => mutate(id, { liked: !card.liked })}>♥ {card.likes}</button>
      {error && <em>Taken back: {error.code}</em>}
    </li>
  );
}
