import type { View } from "./view.js";
/** Keeps {@link Pending.effect} of the mutations that are made from now on. The opt-in parts that read it ask for it. */
export declare function noteEffects(view: View): void;
