// What is open beside the board, and what is chosen there.

import { signal } from "@preact/signals";

/** The drawer at the side. */
export type Panel = "archive" | "files" | "lab" | "inspect" | "history" | "members" | "labels";
export const panel = signal<Panel | undefined>(undefined);
export const toggle = (which: Panel): void => void (panel.value = panel.value === which ? undefined : which);

/** The card or column whose Move… dialog is open. */
export const moving = signal<string | undefined>(undefined);

/** The entity whose title is edited where it stands. */
export const renaming = signal<string | undefined>(undefined);

/** What this window is at, for the others' presence. */
export interface Here {
  readonly card?: string;
  readonly doing?: "drag" | "edit" | "look";
}
export const here = signal<Here>({});

/** What the board is narrowed to; empty fields narrow nothing. */
export interface Filter {
  readonly words: string;
  readonly labels: readonly string[];
  /** All of the labels, and not just one of them. */
  readonly every?: boolean;
  readonly assignees: readonly string[];
  readonly due: "" | "overdue" | "week" | "none";
}
export const everything: Filter = { words: "", labels: [], assignees: [], due: "" };
export const filter = signal<Filter>(everything);
