// Redux: a slice that mirrors what the board shows, and thunks that change the board. There is nothing to roll back here:
// the mirror is told of a snap-back as of any other change.

import type { Card, Column, Entity, EntityChange, Kind, Refusal, Sent, Status, Store } from "@snapback/client";
import { applyMiddleware, legacy_createStore as createStore, type Middleware } from "redux";

export interface BoardState {
  readonly status: Status;
  readonly entities: { readonly [id: string]: Entity };
  /** In order; the arrays are the client's own, so they stay the same until one of their entities changes. */
  readonly columns: readonly Column[];
  readonly cards: { readonly [columnId: string]: readonly Card[] };
  /** The newest refusal that nobody has dismissed. */
  readonly refusal: (Refusal & { readonly entityId: string }) | undefined;
}

export type BoardAction =
  | {
      readonly type: "board/changed";
      readonly changes: readonly EntityChange[];
      readonly columns: readonly Column[];
      /** Of the columns that the changes touch. */
      readonly cards: { readonly [columnId: string]: readonly Card[] };
    }
  | { readonly type: "board/statusChanged"; readonly status: Status }
  | { readonly type: "board/refused"; readonly refusal: Refusal; readonly entityId: string }
  | { readonly type: "board/refusalDismissed" };

const empty: BoardState = { status: "connecting", entities: {}, columns: [], cards: {}, refusal: undefined };

export function boardReducer(state: BoardState = empty, action: BoardAction): BoardState {
  switch (action.type) {
    case "board/changed": {
      const entities = { ...state.entities };
      for (const { id, after } of action.changes) {
        if (after) entities[id] = after;
        else delete entities[id];
      }
      return { ...state, entities, columns: action.columns, cards: { ...state.cards, ...action.cards } };
    }
    case "board/statusChanged":
      return { ...state, status: action.status };
    case "board/refused":
      return { ...state, refusal: { ...action.refusal, entityId: action.entityId } };
    case "board/refusalDismissed":
      return { ...state, refusal: undefined };
    default:
      return state;
  }
}

// An action carries all that the reducer needs, so that it stays pure.
function changed(board: Store, changes: readonly EntityChange[]): BoardAction {
  const touched = new Set<string>();
  for (const { before, after } of changes) {
    for (const e of [before, after] as (Card | undefined)[]) if (e?.kind === "card") touched.add(e.columnId);
  }
  const cards = Object.fromEntries([...touched].map((id) => [id, board.children(id, "card")]));
  return { type: "board/changed", changes, columns: board.list("column"), cards };
}

const kinds: readonly Kind[] = ["board", "member", "column", "card", "checklist", "item", "label", "comment", "file"];

/** Keeps the slice up to date with the board. Gives what ends that. */
export function mirror(board: Store, dispatch: (action: BoardAction) => unknown): () => void {
  const there = kinds.flatMap((kind): readonly Entity[] => board.list(kind));
  dispatch({ type: "board/statusChanged", status: board.status });
  dispatch(changed(board, there.map((after) => ({ id: after.id, before: undefined, after }))));
  const ends = [
    board.subscribe((changes) => dispatch(changed(board, changes))),
    board.onStatus((status) => dispatch({ type: "board/statusChanged", status })),
    board.onRollback((mutation, refusal) => {
      dispatch({ type: "board/refused", refusal, entityId: mutation.changes[0]?.entityId ?? "" });
    }),
  ];
  return () => ends.forEach((end) => end());
}

interface BoardDispatch {
  <R>(thunk: Thunk<R>): R;
  <A extends BoardAction>(action: A): A;
}

/** What is dispatched to change the board. It gives the mutation, whose promise says what became of it. */
export type Thunk<R> = (dispatch: BoardDispatch, getState: () => BoardState, board: Store) => R;

export const toggleLike = (id: string): Thunk<Sent | undefined> => (_dispatch, getState, board) => {
  const card = getState().entities[id] as Card | undefined;
  return card && board.mutate(id, { liked: !card.liked });
};

export const addCard = (columnId: string, title: string): Thunk<Sent> => (_dispatch, _getState, board) =>
  board.create("card", { columnId, title });

/** after null: to the top. */
export const moveCard = (id: string, columnId: string, after: string | null): Thunk<Sent> => (_dispatch, _getState, board) =>
  board.mutate(id, { columnId, position: { after } });

/** As redux-thunk's `withExtraArgument(board)`, or `thunk: { extraArgument: board }` of the toolkit. */
const thunks = (board: Store): Middleware<BoardDispatch, BoardState, BoardDispatch> => ({ dispatch, getState }) => (next) =>
  (action) => (typeof action === "function" ? (action as Thunk<unknown>)(dispatch, getState, board) : next(action));

/** A Redux store for one board, as long as that is open. */
export function createBoardStore(board: Store) {
  const store = createStore(boardReducer, applyMiddleware<BoardDispatch, BoardState>(thunks(board)));
  mirror(board, store.dispatch);
  return store;
}

// Selectors need no memory: what they give is the same object until it changes.
export const selectStatus = (state: BoardState): Status => state.status;
export const selectColumns = (state: BoardState): readonly Column[] => state.columns;
export const selectCards = (state: BoardState, columnId: string): readonly Card[] => state.cards[columnId] ?? none;
export const selectRefusal = (state: BoardState): BoardState["refusal"] => state.refusal;
const none: readonly Card[] = [];
