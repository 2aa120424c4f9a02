// Your role as the server has it. It says so in its greeting only; so when the members change what you may do, the window
// asks to be greeted again: the connection is made anew and goes on where it was.

import { useEffect } from "preact/hooks";

import type { Member, Store } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { who } from "../session.js";

/** What your role hangs on, as far as it is confirmed: your entry, and without keys whether there are members at all. */
function standing(store: Store, user: string): string {
  const mine = store.confirmed<Member>(`member:${user}`)?.role ?? "";
  const hasMembers = who.value.token !== "" || store.list("member").some((m) => store.confirmed(m.id));
  return `${mine} ${hasMembers}`;
}

/** Keeps {@link Store.me} right. Once on a page. */
export function useRole(): void {
  const { store, status, me } = useBoard();
  const isLive = status === "live";
  useEffect(() => {
    if (!isLive || !me) return undefined;
    const greeted = standing(store, me.user);
    let due = false;
    const look = () => {
      if (due || standing(store, me.user) === greeted) return;
      due = true;
      queueMicrotask(() => {
        store.engine.restart();
        dispatchEvent(new Event("online")); // the link looks at once what is due
      });
    };
    const ends = [
      store.subscribe((changes) => changes.some(({ before, after }) => (after ?? before)?.kind === "member") && look()),
      store.onSettled(look),
    ];
    return () => ends.forEach((end) => end());
  }, [store, isLive, me]);
}
