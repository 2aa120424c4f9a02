import type { Change } from "./entities.js";
import type { Engine, Entry } from "./engine.js";
/** What is added to one change. */
export type Guard = Pick<Change, "if" | "ifRev">;
/**
 * For each change of a mutation just made: every plain field it sets as it stood before, a creation is of something new, a
 * deletion of the very rev. Without a guard are what adds to and removes from a set, `liked`, and what nobody else
 * can have touched: an entity that only pending mutations of ours have made.
 */
export declare function guards(m: Entry, view: Engine["view"]): Guard[];
/** The changes with their guards; what the application asked for itself comes first. */
export declare const guarded: (changes: readonly Change[], by: readonly Guard[]) => readonly Change[];
