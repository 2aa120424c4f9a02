/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | {
    readonly [name: string]: Json;
};
/**
 * What every entity has. Views of it are immutable: the same object comes back until a field changes. There may be more
 * fields than are named here, `x-` ones among them; TypeScript's `noPropertyAccessFromIndexSignature` finds misspelt ones.
 */
export interface Entity {
    readonly id: string;
    readonly kind: string;
    /**
     * The board's rev of its last change; none while only pending. A newer one alone is no change of the view, so this may be
     * older than that of {@link Store.confirmed}.
     */
    readonly rev?: number;
    readonly createdRev?: number;
    readonly createdAt?: string;
    readonly createdBy?: string;
    readonly updatedAt?: string;
    readonly updatedBy?: string;
    readonly [field: string]: Json | undefined;
}
export interface Board extends Entity {
    readonly kind: "board";
    readonly title: string;
    readonly description?: string;
    readonly archived?: boolean;
}
export type Role = "viewer" | "commenter" | "editor" | "admin";
export interface Member extends Entity {
    readonly kind: "member";
    readonly user: string;
    readonly name?: string;
    readonly avatar?: string;
    readonly role: Role;
}
export interface Column extends Entity {
    readonly kind: "column";
    readonly title: string;
    readonly position: string;
    readonly wipLimit?: number;
    readonly wipMode?: "hard" | "soft";
    readonly color?: string;
    readonly archived?: boolean;
}
export interface Card extends Entity {
    readonly kind: "card";
    readonly title: string;
    readonly columnId: string;
    readonly position: string;
    readonly description?: string;
    readonly labels?: readonly string[];
    readonly assignees?: readonly string[];
    readonly likedBy?: readonly string[];
    readonly due?: string;
    readonly start?: string;
    readonly done?: string;
    readonly color?: string;
    readonly archived?: boolean;
    /** 1, 2, … on its board; the server gives it. */
    readonly number?: number;
    readonly likes: number;
    /** Do you like it. */
    readonly liked: boolean;
    /** How many comments it has; only with `part: "open"`. */
    readonly comments?: number;
}
export interface Checklist extends Entity {
    readonly kind: "checklist";
    readonly cardId: string;
    readonly title?: string;
    readonly position: string;
}
export interface Item extends Entity {
    readonly kind: "item";
    readonly checklistId: string;
    readonly text: string;
    readonly done?: boolean;
    readonly assignee?: string;
    readonly due?: string;
    readonly position: string;
}
export interface Label extends Entity {
    readonly kind: "label";
    readonly name?: string;
    readonly color?: string;
    readonly position: string;
}
export interface Comment extends Entity {
    readonly kind: "comment";
    readonly cardId: string;
    readonly text: string;
}
export interface File extends Entity {
    readonly kind: "file";
    readonly name: string;
    readonly cardId?: string;
    readonly size?: number;
    readonly contentType?: string;
    readonly sha256?: string;
    readonly url?: string;
}
/** The kinds and their shapes. */
export interface Kinds {
    board: Board;
    member: Member;
    column: Column;
    card: Card;
    checklist: Checklist;
    item: Item;
    label: Label;
    comment: Comment;
    file: File;
}
export type Kind = keyof Kinds;
/** The shape of a kind; of all kinds, what `kind` tells apart. */
export type EntityOf<K extends string = Kind> = K extends Kind ? Kinds[K] : Entity;
/** A place among siblings: the server chooses in log order, the view from what it shows. */
export type Place = {
    readonly after: string | null;
} | {
    readonly before: string | null;
};
/** Members to add to a set field and to remove from it. */
export interface SetChange {
    readonly add?: string | readonly string[];
    readonly remove?: string | readonly string[];
}
/** The fields whose values the compiler knows, as a patch sets them. */
interface Settable {
    readonly kind: Kind;
    readonly title: string | null;
    readonly description: string | null;
    readonly text: string | null;
    readonly name: string | null;
    readonly columnId: string;
    readonly cardId: string | null;
    readonly checklistId: string;
    readonly position: string | Place | null;
    readonly archived: boolean | null;
    readonly color: string | null;
    readonly wipLimit: number | null;
    readonly wipMode: "hard" | "soft" | null;
    readonly due: string | null;
    readonly start: string | null;
    readonly liked: boolean;
    readonly labels: readonly string[] | SetChange | null;
    readonly assignees: readonly string[] | SetChange | null;
    readonly likedBy: readonly string[] | SetChange | null;
}
type Optional<T> = {
    [F in keyof T]?: T[F] | undefined;
};
/**
 * Changes of one entity's fields; `null` makes a field absent (PROTOCOL.md, "Applying a patch"), undefined leaves it as it
 * is. A value whose type is an interface is spread, `{ ...value }`: only then does TypeScript see that it has no other fields.
 */
export interface Patch extends Optional<Settable> {
    readonly [field: string]: Json | Place | SetChange | undefined;
}
/** A change of one entity within a mutation. */
export interface Change {
    readonly entityId: string;
    /** `null` deletes the entity and what hangs on it. */
    readonly patch: Patch | null;
    /** Precondition: each named field has that value (`null`: absent), else nack `conflict`. */
    readonly if?: {
        readonly [field: string]: Json;
    };
    /** Precondition: the entity's rev; 0 makes sure that it is new. */
    readonly ifRev?: number;
}
export {};
