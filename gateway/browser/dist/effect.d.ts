import type { State } from "./ground.js";
import type { Pending, View } from "./view.js";
/** Keeps {@link Pending.effect} of the mutations that are made from now on. The opt-in parts that read it ask for it. */
export declare function noteEffects(view: View): void;
export declare function noteEffect(p: Pending, id: string, before: State, after: State): void;
