// The names of things that a history speaks of and the page does not hold: what is archived is asked for, of what is
// deleted the log knows what it was called.

import { useEffect, useRef, useState } from "preact/hooks";

import { load, type Store } from "@snapback/client";

import type { Desk } from "../desk.js";
import { of, request } from "../session.js";
import { known, nameless } from "./known.js";
import { lines, type Decision } from "./log.js";

/** How many are looked up for one history: a look into the log reads all of it. */
const most = { loaded: 60, inLog: 12 };

/** Decisions that tell the names which those shown do not. */
export function useNaming(desk: Desk, decisions: readonly Decision[]): readonly Decision[] {
  const { store, board } = desk;
  const [found, set] = useState<readonly Decision[]>([]);
  const asked = useRef(new Set<string>());
  const looks = useRef(0);
  useEffect(() => {
    const names = known([...found, ...decisions], (id) => store.get(id));
    const ids = nameless(decisions, (id) => names.nameOf(id) !== undefined).filter((id) => !asked.current.has(id)).slice(0, most.loaded);
    if (!ids.length) return undefined;
    ids.forEach((id) => asked.current.add(id));
    const stop = new AbortController();
    let over = false;
    const look = async () => {
      await fetchCards(store, ids);
      for (const id of ids.filter((id) => !store.get(id))) {
        if (stop.signal.aborted || looks.current++ >= most.inLog) break;
        const past = await logOf(board, id, stop.signal);
        if (!stop.signal.aborted) set((was) => [...past, ...was]);
      }
      over = !stop.signal.aborted;
      if (over) set((was) => [...was]); // drawn anew: the board knows more now
    };
    void look().catch(() => {}); // then they have no names
    return () => {
      stop.abort();
      if (!over) ids.forEach((id) => asked.current.delete(id));
    };
  }, [decisions]);
  return found;
}

/** What is archived joins what the page holds. */
async function fetchCards(store: Store, ids: readonly string[]): Promise<void> {
  await Promise.allSettled([load(store, { archive: true }), ...ids.map((card) => load(store, { card }))]);
}

async function logOf(board: string, entity: string, signal: AbortSignal): Promise<readonly Decision[]> {
  const url = of(board, "log");
  url.searchParams.set("entity", entity);
  url.searchParams.set("last", "20");
  return lines(await (await request(url, { signal })).text()).decisions;
}
