// Which cards a filter lets through. Boards have thousands of cards, and this is asked of all of them at each key: what a
// card has to say is folded once for as long as the card is the same, and so is the answer.

import type { Card, Label, Member } from "@snapback/client";

import type { Filter } from "../ui.js";
import { instant } from "../words/dates.js";

export type Matches = (card: Card) => boolean;

const all: Matches = () => true;
const day = 24 * 3600_000;

/** Letters that Unicode does not take apart, as people type them who do not have them. */
const plain: { readonly [letter: string]: string } = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ß: "ss", ı: "i" };

/** Without case, accents and width: what people do not type when they search. */
export function fold(text: string): string {
  if (isAscii.test(text)) return text.toLowerCase(); // ten times as fast, and what most texts are
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[øłđðþæœßı]/g, (letter) => plain[letter]!);
}

const isAscii = /^[\0-\x7f]*$/;

/** Does the filter narrow anything? */
export const narrows = ({ words, labels, assignees, due }: Filter): boolean =>
  words.trim() !== "" || labels.length > 0 || assignees.length > 0 || due !== "";

const own = new WeakMap<Card, string>();

/** What a card says of itself, folded. */
function textOf(card: Card): string {
  let text = own.get(card);
  if (text === undefined) own.set(card, (text = fold(`${card.title}\n${card.description ?? ""}`)));
  return text;
}

/** Ids whose names hold the word. */
const named = (names: readonly (readonly [id: string, folded: string])[], word: string): ReadonlySet<string> =>
  new Set(names.filter(([, name]) => name.includes(word)).map(([id]) => id));

const some = (ids: readonly string[] | undefined, wanted: ReadonlySet<string>): boolean =>
  wanted.size > 0 && ids !== undefined && ids.some((id) => wanted.has(id));

/**
 * The cards that a filter lets through. Every word must be in the card's title or description, in the name of one of its
 * labels or of somebody it is assigned to, or be its number (#12). `now` in milliseconds decides what is overdue.
 */
export function matching(filter: Filter, labels: readonly Label[], members: readonly Member[], now: number): Matches {
  if (!narrows(filter)) return all;
  const tests = [...words(filter.words, labels, members), ...sets(filter), ...due(filter, now)];
  const known = new WeakMap<Card, boolean>();
  return (card) => {
    let yes = known.get(card);
    if (yes === undefined) known.set(card, (yes = tests.every((test) => test(card))));
    return yes;
  };
}

function words(typed: string, labels: readonly Label[], members: readonly Member[]): Matches[] {
  const labelNames = labels.map((l) => [l.id, fold(l.name ?? "")] as const);
  const people = members.map((m) => [m.user, fold(`${m.name ?? ""} ${m.user}`)] as const);
  const users = new Set(members.map((m) => m.user));
  return fold(typed).split(/\s+/u).filter(Boolean).map((word) => {
    const number = /^#\d+$/.test(word) ? Number(word.slice(1)) : undefined;
    const withLabel = named(labelNames, word);
    const withPerson = named(people, word);
    const isStranger = (user: string) => !users.has(user) && fold(user).includes(word);
    return (card) => (number !== undefined && card.number === number) || textOf(card).includes(word)
      || some(card.labels, withLabel) || some(card.assignees, withPerson) || Boolean(card.assignees?.some(isStranger));
  });
}

interface Tally {
  /** Those that are not archived. */
  readonly all: number;
  /** Of them, those that are let through. */
  readonly count: number;
}

const tallies = new WeakMap<readonly Card[], Tally & { readonly by: Matches }>();

/** How many cards of a list there are; counted once for as long as the list and the filter are the same. */
export function tally(cards: readonly Card[], matches: Matches): Tally {
  const known = tallies.get(cards);
  if (known?.by === matches) return known;
  const all = cards.filter((c) => !c.archived);
  const fresh = { all: all.length, count: all.filter(matches).length, by: matches };
  tallies.set(cards, fresh);
  return fresh;
}

function sets({ labels, every, assignees }: Filter): Matches[] {
  const tests: Matches[] = [];
  const people = new Set(assignees);
  if (labels.length && every) tests.push((card) => labels.every((id) => card.labels?.includes(id)));
  else if (labels.length) tests.push((card) => labels.some((id) => card.labels?.includes(id)));
  if (people.size) tests.push((card) => some(card.assignees, people));
  return tests;
}

function due({ due }: Filter, now: number): Matches[] {
  const at = (card: Card) => instant(card.due!).getTime();
  switch (due) {
    case "overdue": return [(card) => card.due !== undefined && !card.done && at(card) < now];
    case "week": return [(card) => card.due !== undefined && !card.done && at(card) >= now && at(card) < now + 7 * day];
    case "none": return [(card) => card.due === undefined];
    default: return [];
  }
}
