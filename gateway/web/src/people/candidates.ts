// Who can be assigned to a card, and finding things by what is typed.

import type { Member, Store } from "@snapback/client";

import { fold } from "./matching.js";

export interface Person {
  readonly user: string;
  readonly name: string;
  readonly picture?: string | undefined;
}

/** A user as a person: with the name and picture of the member, if there is one. */
export function personOf(store: Store, user: string): Person {
  const member = store.get<Member>(`member:${user}`);
  return { user, name: member?.name || user, picture: member?.avatar };
}

/** You first, then who is assigned, the members, and where anybody may be assigned (`open`) those on other cards; nobody twice. */
export function candidates(store: Store, me: string | undefined, assigned: readonly string[], open: boolean): readonly Person[] {
  const members = store.list("member").map(({ user }) => user);
  const mine = me !== undefined && (open || members.includes(me)) ? [me] : [];
  return [...new Set([...mine, ...assigned, ...members, ...(open ? anywhere(store) : [])])].map((user) => personOf(store, user));
}

/** Whoever stands on any card of the board. */
function anywhere(store: Store): readonly string[] {
  const all = new Set<string>();
  for (const { assignees } of store.list("card")) assignees?.forEach((user) => all.add(user));
  return [...all].sort();
}

/** Does one of the texts have each of the words typed, whatever their accents and capitals? */
export function matches(typed: string, ...texts: readonly string[]): boolean {
  const all = texts.map(fold);
  return fold(typed).split(/\s+/).every((word) => all.some((text) => text.includes(word)));
}
