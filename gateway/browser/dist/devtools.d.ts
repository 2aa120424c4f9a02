import type { Store } from "./store.js";
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
