import type { Engine } from "./engine.js";
import type { ResumePoint } from "./view.js";
export interface Confirmed {
    /** The stored state goes up to here, but for what `moved` tells; undefined: not known to go anywhere. */
    since: ResumePoint | undefined;
    moved(ids: readonly string[]): void;
    /** Writes at once; nothing if all is written, or nothing is kept. */
    flush(): void;
}
/** `kept` gives the database, while there is one, and whose it is; `told` hears of every write, with the error of one that failed. */
export declare function confirmed({ env, view }: Engine, kept: () => {
    db: IDBDatabase | undefined;
    owner: string | undefined;
}, told: (error?: unknown) => void): Confirmed;
