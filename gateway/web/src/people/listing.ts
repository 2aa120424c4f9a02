// The list of boards, fetched page by page.

import { signal, type ReadonlySignal } from "@preact/signals";

import type { Role } from "@snapback/client";

import { address, Problem, request } from "../session.js";
import { fold } from "./matching.js";

export interface Listed {
  readonly board: string;
  readonly title: string;
  readonly archived?: boolean;
  readonly role: Role;
}

/** At most so many are asked for at once. */
const page = 200;

export interface Listing {
  /** Those fetched so far, by id; undefined until the first answer. */
  readonly boards: ReadonlySignal<readonly Listed[] | undefined>;
  /** There are more of them. */
  readonly hasMore: ReadonlySignal<boolean>;
  /** Why the last page did not come. */
  readonly problem: ReadonlySignal<Problem | undefined>;
  more(): Promise<void>;
}

export function listing(): Listing {
  const boards = signal<readonly Listed[] | undefined>(undefined);
  const hasMore = signal(true);
  const problem = signal<Problem | undefined>(undefined);
  let next = "";
  let running: Promise<void> | undefined;
  const fetchPage = async () => {
    try {
      const url = address(`/v1/boards?limit=${page}`);
      if (next) url.searchParams.set("after", next);
      const answer = (await (await request(url)).json()) as { boards: readonly Listed[]; next?: string };
      boards.value = [...(boards.value ?? []), ...answer.boards];
      next = answer.next ?? "";
      hasMore.value = next !== "";
      problem.value = undefined;
    } catch (e) {
      problem.value = e instanceof Problem ? e : new Problem("offline", 0, {}); // an answer that broke off
    }
    running = undefined;
  };
  return { boards, hasMore, problem, more: () => (running ??= fetchPage()) };
}

/** Those with all the words in their titles, by title as people sort; open ones and archived ones. */
export function sorted(all: readonly Listed[], words: string, locale: string): { readonly open: readonly Listed[]; readonly archived: readonly Listed[] } {
  const wanted = fold(words).split(/\s+/u).filter(Boolean);
  const { compare } = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  const found = all
    .filter(({ title, board }) => wanted.every((word) => fold(title || board).includes(word)))
    .sort((a, b) => compare(a.title || a.board, b.title || b.board));
  return { open: found.filter((b) => !b.archived), archived: found.filter((b) => b.archived) };
}
