/** What offline takes from the browser; a test gives its own. */
export interface Surroundings {
    readonly indexedDB: IDBFactory;
    readonly locks: LockManager | undefined;
    readonly BroadcastChannel: typeof BroadcastChannel | undefined;
}
export interface Tabs {
    /** Holds this tab's lock until the end, and hears of other tabs from then on. Anything kept in its name comes later. */
    hold(): Promise<void>;
    /** Tells the others that something is kept in this tab's name. */
    announce(): void;
    /** Takes over when that tab is gone; resolves when that is done. */
    watch(tab: string): Promise<void>;
}
export declare function tabs(name: string, me: string, { locks, BroadcastChannel: Channel }: Surroundings, end: AbortSignal, takeOver: (tab: string) => Promise<void>): Tabs;
