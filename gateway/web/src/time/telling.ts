// What was done, in words, for those who replay it.

import { useMemo } from "preact/hooks";

import type { Entity } from "@snapback/client";

import { useDesk } from "../desk.js";
import { known } from "../history/known.js";
import type { Decision } from "../history/log.js";
import { tell, type Line, type Telling } from "../history/tell.js";
import { personOf } from "../people/candidates.js";
import { describe } from "../text/mutation.js";
import { exactly } from "../words/dates.js";
import { locale, say } from "../words/words.js";
import type { Player } from "./player.js";
import type { Spot } from "./film.js";

export type Tell = (d: Decision) => readonly Line[];

/** Tells decisions by the names that things have now, or had at the moment that is shown. */
export function useTell({ past, stretch }: Player, names: "now" | "then"): Tell {
  const { store } = useDesk();
  const { decisions } = stretch.value;
  return useMemo(() => {
    const live = (id: string): Entity | undefined => store.get(id);
    const old = (id: string): Entity | undefined => past.entities.get(id);
    const all = known(decisions, names === "now" ? (id) => live(id) ?? old(id) : (id) => old(id) ?? live(id));
    const t: Telling = {
      known: all, subject: "",
      person: (user) => personOf(store, user).name,
      describe: (changes) => describe(all as never, changes),
    };
    return (d) => tell(d, t);
  }, [store, past, decisions, names]);
}

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dated = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** 10:04:12 of today, with the day or the year of another one. */
export function moment(value: string, now = new Date()): string {
  const when = new Date(value);
  if (Number.isNaN(when.getTime())) return value;
  if (when.toDateString() === now.toDateString()) return clock.format(when);
  return (when.getFullYear() === now.getFullYear() ? dayAndClock : dated).format(when);
}

export const fully = (value: string): string => exactly(value);

/** Which moment that is: 10:04:12, revision 46 of 312. */
export function marked({ rev }: Spot, head: number, at: string | undefined): string {
  return at === undefined ? say("time.markUntimed", { rev, head }) : say("time.mark", { when: moment(at), rev, head });
}
