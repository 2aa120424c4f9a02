// Fetches what the open part of the board leaves out of a card: its comments and, of what is archived, the card itself.

import { useEffect, useRef, useState } from "preact/hooks";

import { load } from "@snapback/client";
import { useBoard, useEntity } from "@snapback/client/react";

import { extended, renewed, type Fetched } from "./paging.js";

export interface Loading {
  readonly fetched: Fetched | undefined;
  readonly busy: boolean;
  /** The server knows of no such card. */
  readonly missing: boolean;
  older(): void;
}

const isThere = (e: unknown) => e !== undefined;

/** Fetches the newest comments whenever the connection has come (back), older ones when asked. */
export function useLoading(id: string): Loading {
  const { store, status } = useBoard();
  const there = useEntity(id, isThere);
  const [fetched, setFetched] = useState<Fetched>();
  const [asking, setAsking] = useState(0);
  const [missing, setMissing] = useState(false);
  const alive = useRef(true);
  const asked = useRef(false); // on the present connection
  const live = status === "live";
  const ask = async (last?: Fetched) => {
    setAsking((n) => n + 1);
    try {
      const { entities, before } = await load(store, { card: id, ...(last?.before ? { before: last.before } : {}) });
      if (!alive.current) return;
      if (entities.length || store.get(id)) {
        const next = extended(last, entities, before);
        setFetched((now) => (last ? next : renewed(now, next, store.children(id, "comment"))));
      }
      setMissing(!store.get(id));
    } catch {
      // the connection was lost; the next one asks again
    } finally {
      if (alive.current) setAsking((n) => n - 1);
    }
  };
  useEffect(() => {
    alive.current = true;
    return () => void (alive.current = false);
  }, []);
  useEffect(() => {
    if (live && !(there && asked.current)) void ask();
    asked.current = live;
  }, [live, there]);
  return { fetched, busy: asking > 0, missing: missing && !there, older: () => void (fetched && ask(fetched)) };
}
