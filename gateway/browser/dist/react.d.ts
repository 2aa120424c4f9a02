import { type ReactNode } from "react";
import type { Board, Change, Entity, EntityOf, Json, Kind, Patch } from "./entities.js";
import { type Peer, type Presence, type Saying } from "./presence.js";
import { type Store } from "./store.js";
import type { Me, Options, Preconditions, Refusal, Sent, Status } from "./types.js";
export type BoardProviderProps = {
    /** A store made by `connect`; whoever made it closes it. */
    readonly store: Store;
    readonly options?: never;
    readonly children?: ReactNode;
} | {
    readonly store?: never;
    /**
     * Connects when mounted and closes when unmounted. Another board, url or user connects anew; a new token string is
     * sent on the live connection. Changes of the others do not count; `offline` must be another one for another board.
     */
    readonly options: Options;
    readonly children?: ReactNode;
    /** Shown while there is no store: on a server, and until the page has taken over. */
    readonly fallback?: ReactNode;
};
/** Gives the components in it their board. */
export declare function BoardProvider(props: BoardProviderProps): ReactNode;
/** The store of the nearest {@link BoardProvider}. Does not cause a rendering when the board changes. */
export declare function useBoardStore(): Store;
/** What {@link useBoard} gives. */
export interface BoardState {
    readonly store: Store;
    readonly status: Status;
    /** Why it is closed for good. */
    readonly closeCode: number | undefined;
    /** Undefined until the server has said who you are. */
    readonly me: Me | undefined;
    /** The board itself; undefined until it is there for the first time. */
    readonly board: Board | undefined;
}
/** The board and how it stands to the server. */
export declare function useBoard(): BoardState;
/** An entity as shown, undefined if there is none: `useEntity<Card>(id)`. Renders when its view changes, and only then. */
export declare function useEntity<E extends Entity = EntityOf>(id: string): E | undefined;
/** What select takes of it. Renders when that changes. */
export declare function useEntity<E extends Entity, T>(id: string, select: (entity: E | undefined) => T): T;
/**
 * What stands under a parent ("" is the board), in order, archived ones included: `useChildren(column.id, "card")`. The
 * same array until one of them changes.
 */
export declare function useChildren<K extends Kind>(parentId: string, kind: K): readonly EntityOf<K>[];
export declare function useChildren<K extends Kind, T>(parentId: string, kind: K, select: (children: readonly EntityOf<K>[]) => T): T;
export declare function useChildren(parentId: string): readonly EntityOf[];
/** All of a kind: `useList("column")`. The same array until one of them changes. */
export declare function useList<K extends Kind>(kind: K): readonly EntityOf<K>[];
export declare function useList<K extends Kind, T>(kind: K, select: (all: readonly EntityOf<K>[]) => T): T;
/** The functions are the same in every rendering, and their promises never reject: a refusal is a value. */
export interface Mutating {
    mutate(id: string, patch: Patch, only?: Preconditions): Sent;
    create(kind: Kind, patch: Patch): Sent;
    remove(id: string, only?: Preconditions): Sent;
    transact(changes: readonly Change[]): Sent;
    /** Forgets the error. */
    reset(): void;
}
/** What {@link useMutation} gives. */
export interface MutationState extends Mutating {
    /** Of what was made by this hook: nothing yet, something without a verdict, the newest verdict. */
    readonly status: "idle" | "pending" | "success" | "error";
    readonly isPending: boolean;
    readonly isError: boolean;
    /** The last refusal, until the next mutation by this hook, or `reset`. The view has taken the change back already. */
    readonly error: Refusal | undefined;
}
/** Changes entities, and says how that goes. What it changes is shown at once, everywhere. */
export declare function useMutation(): MutationState;
/** Does a mutation that is shown and has no verdict concern the entity, whichever component made it? */
export declare function usePending(id: string): boolean;
/** Who else is on the board, and a way to tell them something passing. All components share one {@link Presence}. */
export declare function usePresence<T extends Saying<T> = Json>(): {
    readonly others: readonly Peer<T>[];
    readonly set: Presence<T>["set"];
};
