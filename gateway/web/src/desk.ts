// What the window works with while a board is open.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { connect, offline, undoStack, type Entity, type Offline, type Role, type Store, type UndoStack } from "@snapback/client";

import { afterPaint, doNow, socket } from "./frame.js";
import { claimsOf, who, type Who } from "./session.js";
import { slowly, type Slow } from "./pending.js";
import { whatIsRefused } from "./refused.js";
import { dismiss, notes } from "./say.js";
import { whetherThereIsALab } from "./lab/setting.js";
import { textsOf, type Texts } from "./text/texts.js";

export interface Desk {
  readonly board: string;
  readonly store: Store;
  readonly undo: UndoStack;
  readonly offline: Offline;
  readonly slow: Slow;
  readonly texts: Texts;
  close(): void;
}

/** Opens a board: the open part of it, kept over reloads. */
export function openDesk(board: string, { user, token }: Who): Desk {
  const owner = token ? (claimsOf(token).sub ?? user) : user;
  const kept = offline({ user: owner });
  const store = connect({ board, part: "open", offline: kept, env: { socket, afterPaint }, ...(token ? { token: () => who.value.token } : { user }) });
  const texts = textsOf({ board, user: owner, store, offline: kept, storage: storage() });
  const desk: Desk = {
    board, store, offline: kept, undo: undoStack(store), slow: slowly(store), texts,
    close: () => {
      doNow(); // what was made is sent
      ends.forEach((end) => end());
      texts.close();
      for (const { id, tone } of notes.peek()) if (tone === "done") dismiss(id); // its button would undo on a closed board
      store.close();
    },
  };
  const ends = [whatIsRefused(desk), whetherThereIsALab(store)];
  return desk;
}

/** Where texts are kept; none where the browser does not let it. */
function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("no board is open above");
  return desk;
}

/** What people call an entity. */
export function nameOf(e: Entity | undefined): string | undefined {
  const name = e?.["title"] ?? e?.["name"] ?? e?.["text"];
  return typeof name === "string" ? name : undefined;
}

const ranks: readonly Role[] = ["viewer", "commenter", "editor", "admin"];

/** Is the role, as far as it is known, at least this one? The server decides; this only spares what it would refuse. */
export const atLeast = (role: Role | undefined, needed: Role): boolean => role !== undefined && ranks.indexOf(role) >= ranks.indexOf(needed);
