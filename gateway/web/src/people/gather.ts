// What others say of themselves, put together by person. It comes from pages we did not write: nothing of it is believed
// before it was looked at.

import type { Peer } from "@snapback/client";

import type { Here } from "../ui.js";

export type Doing = NonNullable<Here["doing"]>;

/** Somebody on the board, whatever many windows he has open there. */
export interface Person {
  readonly user: string;
  readonly name: string;
  readonly picture: string | undefined;
  /** It is yourself, in another window. */
  readonly isMe: boolean;
  /** The card he is at, and what he does with it. */
  readonly card: string | undefined;
  readonly doing: Doing;
}

/** Somebody at a card. */
export type AtCard = Person;

const ranks: readonly Doing[] = ["look", "edit", "drag"];

function readHere(data: unknown): { readonly card: string | undefined; readonly doing: Doing } {
  const { card, doing } = (typeof data === "object" && data !== null ? data : {}) as { readonly card?: unknown; readonly doing?: unknown };
  return {
    card: typeof card === "string" && card !== "" && card.length <= 64 ? card : undefined,
    doing: doing === "drag" || doing === "edit" ? doing : "look",
  };
}

function personOf(peer: Peer<unknown>, me: string | undefined): Person {
  const { user, name, picture, data } = peer;
  return {
    user, name: typeof name === "string" && name.trim() ? name : user, isMe: user === me,
    picture: typeof picture === "string" && picture.startsWith("https://") ? picture : undefined,
    ...readHere(data),
  };
}

/** The more telling of two: at a card rather than at none, dragging before editing before looking. */
const telling = (a: Person, b: Person): Person =>
  (b.card !== undefined) > (a.card !== undefined) || (a.card !== undefined && b.card !== undefined && ranks.indexOf(b.doing) > ranks.indexOf(a.doing)) ? b : a;

function gathered(people: readonly Person[]): readonly Person[] {
  const by = new Map<string, Person>();
  for (const person of people) {
    const known = by.get(person.user);
    by.set(person.user, known ? telling(known, person) : person);
  }
  return [...by.values()];
}

/** Everybody once, in the order in which they are known. */
export const together = (others: readonly Peer<unknown>[], me: string | undefined): readonly Person[] =>
  gathered(others.map((peer) => personOf(peer, me)));

/** Who is at which card, everybody once at each. */
export function atCards(others: readonly Peer<unknown>[], me: string | undefined): Map<string, readonly AtCard[]> {
  const by = new Map<string, Person[]>();
  for (const person of others.map((peer) => personOf(peer, me))) {
    if (person.card !== undefined) by.set(person.card, [...(by.get(person.card) ?? []), person]);
  }
  return new Map([...by].map(([card, people]) => [card, gathered(people)]));
}
