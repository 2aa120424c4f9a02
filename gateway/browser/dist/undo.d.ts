import type { Store } from "./store.js";
import type { Refusal, Unsubscribe } from "./types.js";
/** Fields that an undo or redo left alone, because somebody changed them since. */
export interface Kept {
    readonly entityId: string;
    /** None: something was put into the entity since, so it was not deleted. */
    readonly fields: readonly string[];
}
/**
 * What became of an undo or redo. `rev` is absent if the server had nothing to change. A refusal has the code of the nack
 * (`wip_limit`, `archived`, `not_found`, `forbidden`, …), `empty` if there is nothing to turn, or `closed`. One that came
 * too late (`expired`, `withdrawn`) can be tried again; a step that a rule of the board refuses is given up, so that it
 * does not stand before the others.
 */
export type UndoResult = {
    readonly ok: true;
    readonly rev?: number;
    readonly kept: readonly Kept[];
} | Refusal;
export interface UndoStack {
    /** Takes back the newest step, at once in the view. Never rejects. */
    undo(): Promise<UndoResult>;
    /** Brings forward again what was undone last. Never rejects. */
    redo(): Promise<UndoResult>;
    readonly canUndo: boolean;
    readonly canRedo: boolean;
    /** Calls fn when canUndo or canRedo changes. */
    subscribe(fn: () => void): Unsubscribe;
    /** Forgets all steps; an undo under way goes on. */
    clear(): void;
    /** Forgets all steps and makes no more; an undo under way goes on. */
    close(): void;
}
/** Keeps undo and redo for a store: the newest 50 steps, each of them one mutation, which are forgotten with the page. */
export declare function undoStack(store: Store, { steps: most }?: {
    readonly steps?: number;
}): UndoStack;
