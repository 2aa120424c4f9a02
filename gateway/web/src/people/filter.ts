// Which cards are shown.

import type { Card, Label, Member, Store } from "@snapback/client";
import { useList } from "@snapback/client/react";

import { everything, filter, type Filter } from "../ui.js";
import { matching, type Matches } from "./matching.js";

let last: { readonly filter: Filter; readonly labels: readonly Label[]; readonly members: readonly Member[]; readonly matches: Matches } | undefined;

function matcher(filter: Filter, labels: readonly Label[], members: readonly Member[]): Matches {
  if (last?.filter !== filter || last.labels !== labels || last.members !== members) {
    last = { filter, labels, members, matches: matching(filter, labels, members, Date.now()) };
  }
  return last.matches;
}

const none: readonly never[] = [];
const nothing = () => none;
const same = <T>(all: T) => all;

/** Says whether a card is shown; the same function as long as the filter is, for all who ask. */
export function useFilter(): (card: Card) => boolean {
  const now = filter.value;
  const named = now.words.trim() !== ""; // else nothing hangs on names
  const labels = useList("label", named ? same<readonly Label[]> : nothing);
  const members = useList("member", named ? same<readonly Member[]> : nothing);
  return matcher(now, labels, members);
}

/** The same outside of components. */
export function filterNow(store: Store): (card: Card) => boolean {
  const now = filter.value;
  const named = now.words.trim() !== "";
  return matcher(now, named ? store.list("label") : none, named ? store.list("member") : none);
}

/** Changes part of the filter. */
export const narrow = (part: Partial<Filter>): void => void (filter.value = { ...filter.value, ...part });
export const showAll = (): void => void (filter.value = everything);
