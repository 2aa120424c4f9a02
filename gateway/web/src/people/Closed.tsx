// The board is closed for good: what can be done about it depends on why.

import { useBoard } from "@snapback/client/react";

import { say } from "../words/words.js";

export function Closed() {
  const { closeCode } = useBoard();
  return <main class="closed"><p role="alert">{say(closeCode === 4502 ? "people.notFound" : "people.closed")}</p></main>;
}
