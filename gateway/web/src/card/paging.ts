// Comments come a page at a time.

import type { Comment } from "@snapback/client";

/** What has been fetched of them. */
export interface Fetched {
  /** createdRev of the oldest; older ones are held only by chance (somebody edited one) and would leave holes. */
  readonly floor: number;
  /** Where what is older begins; null: nothing is. */
  readonly before: string | null;
}

/** Newest first, without holes; before anything was fetched, what there is. */
export function shownComments(all: readonly Comment[], fetched: Fetched | undefined): readonly Comment[] {
  const floor = fetched?.before ? fetched.floor : 0;
  return all.filter(({ createdRev = Infinity }) => createdRev >= floor).reverse();
}

/** After the newest page has come again: how far back it went before, if what was fetched then is still held. */
export function renewed(last: Fetched | undefined, next: Fetched, held: readonly Comment[]): Fetched {
  return last && last.floor < next.floor && held.some(({ createdRev }) => createdRev === last.floor) ? last : next;
}

/** What has been fetched after one more page, the first or the next. */
export function extended(last: Fetched | undefined, page: readonly { readonly kind: string; readonly createdRev?: number }[], before: string | null): Fetched {
  const revs = page.flatMap(({ kind, createdRev }) => (kind === "comment" && createdRev ? [createdRev] : []));
  return { floor: Math.min(last?.floor ?? Infinity, ...revs), before };
}
