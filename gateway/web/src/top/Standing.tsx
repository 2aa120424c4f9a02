// How the connection stands and how much has no verdict yet; always in sight.

import { useEffect, useState } from "preact/hooks";

import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";

export function Standing() {
  const { store } = useDesk();
  const { status } = useBoard();
  const waiting = useWaiting();
  useEffect(() => {
    document.body.dataset["waiting"] = String(waiting);
  }, [waiting]);
  return (
    <p id="state" class="standing" role="status" data-status={status} title={store.me?.user}>
      <span>{say(`status.${status}`)}</span>
      {waiting > 0 && <span class="waiting-count">{say("status.waiting", { count: waiting })}</span>}
    </p>
  );
}

/** How many mutations have no verdict; follows slowly, so that what is quick is not seen. */
function useWaiting(): number {
  const { store } = useDesk();
  const [count, setCount] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setCount(store.engine.entries.size);
      }, store.engine.entries.size ? 300 : 0);
    };
    const own = { made: look, concluded: look };
    store.engine.hooks.add(own);
    look();
    return () => {
      clearTimeout(timer);
      store.engine.hooks.delete(own);
    };
  }, [store]);
  return count;
}
