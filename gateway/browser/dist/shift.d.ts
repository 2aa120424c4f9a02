import { type Ground, type State } from "./ground.js";
export declare class Shift {
    #private;
    /** All that were different anywhere. */
    readonly ids: Set<string>;
    constructor(ground: Ground);
    /** What stood here before; the same as now, if the entity is not different. */
    old(id: string, now: State): State;
    touches(keys: Set<string>): boolean;
    /** Compares what stood here before with what stands here now. Another seat is seen by those that look at its siblings. */
    set(id: string, old: State): void;
}
