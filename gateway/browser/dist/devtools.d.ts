import type { Inspection, Store } from "./store.js";
interface Row {
    readonly key: string;
    readonly cells: readonly [what: string, state: string, time: string];
    /** More about what and about state, for who points at them. */
    readonly more: readonly [what: string, state: string];
    readonly tone: string;
}
interface Drawn {
    readonly summary: string;
    readonly tone: string;
    readonly facts: {
        readonly [name: string]: string;
    };
    readonly pending: readonly Row[];
    readonly verdicts: readonly Row[];
}
/** What the panel says, `now` by the server's clock. */
export declare function draw(seen: Inspection, now: number): Drawn;
declare const Base: typeof HTMLElement;
/** `<snapback-panel>`: shows the store given as its property `store`. */
export declare class SnapbackPanel extends Base {
    #private;
    get store(): Store | undefined;
    set store(store: Store | undefined);
    connectedCallback(): void;
    disconnectedCallback(): void;
}
declare global {
    interface HTMLElementTagNameMap {
        "snapback-panel": SnapbackPanel;
    }
}
/** Puts a panel into a corner of the page; gives what takes it away. */
export declare function attachPanel(store: Store, parent?: Element): () => void;
export {};
