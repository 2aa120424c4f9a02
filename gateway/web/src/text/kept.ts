// Words that the server refused, kept over reloads until their note is closed; by board and user.

import type { Change } from "@snapback/client";

import type { DraftStorage } from "./drafts.js";
import type { Words } from "./mutation.js";

export interface Kept {
  readonly id: string;
  /** Why they are here, in words. */
  readonly title: string;
  /** Did the server refuse them, or the user himself leave them? */
  readonly tone?: "refused" | "plain";
  /** What they are about. */
  readonly about?: string | undefined;
  readonly words: readonly Words[];
  /** Can they be edited where they stood? */
  readonly edit?: boolean;
  /** What to send again; none if that is of no use. */
  readonly changes?: readonly Change[];
}

/** As many are kept over a reload; the oldest give way. */
const most = 200;

export interface Keeps {
  all(): readonly Kept[];
  add(kept: Kept): void;
  remove(id: string): void;
}

export function keepsOf({ board, user, storage }: {
  readonly board: string;
  readonly user: string;
  readonly storage: DraftStorage | undefined;
}): Keeps {
  const name = `snapback.kept/${encodeURIComponent(board)}/${encodeURIComponent(user)}`;
  const read = (): readonly Kept[] => {
    try {
      const all = JSON.parse(storage?.getItem(name) ?? "[]") as unknown;
      return Array.isArray(all) ? (all as Kept[]).filter((k) => typeof k.id === "string" && Array.isArray(k.words)) : [];
    } catch {
      return [];
    }
  };
  const write = (all: readonly Kept[]) => {
    for (let left = all.slice(-most); ; left = left.slice(1)) {
      try {
        if (left.length) storage?.setItem(name, JSON.stringify(left));
        else storage?.removeItem(name);
        return;
      } catch {
        if (!left.length) return; // they are on the page
      }
    }
  };
  return {
    all: read,
    add: (kept) => write([...read().filter((k) => k.id !== kept.id), kept]),
    remove(id) {
      const all = read();
      const left = all.filter((k) => k.id !== id);
      if (left.length < all.length) write(left);
    },
  };
}

/** The words as they are shown and copied. */
export const textOf = (words: readonly Words[]): string => words.map((w) => w.text).join("\n\n");
