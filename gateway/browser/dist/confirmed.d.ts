import type { Engine } from "./engine.js";
import type { ResumePoint } from "./view.js";
export interface Confirmed {
    /** What is not written yet came after this. A stored state that does not go as far can not be added to. */
    since: ResumePoint | undefined;
    moved(ids: readonly string[]): void;
    /** A mutation took effect: its row goes when that is written, so that one of the two is there whenever the page ends. */
    settled(id: string): void;
    /** Writes at once; nothing if all is written, or nothing is kept. */
    flush(): void;
}
/** `kept` gives the database, while there is one, and whose it is; `told` hears of every write, with an error if it failed. */
export declare function confirmed({ env, view }: Engine, kept: () => {
    readonly db: IDBDatabase | undefined;
    readonly owner: string | undefined;
}, told: (error?: unknown) => void): Confirmed;
