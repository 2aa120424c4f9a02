// Three quick edits of one card, the middle one refused by the server, two stay.

import type { Card, Sent } from "@snapback/client";

import { cardsIn, columnsOf } from "../actions.js";
import type { Desk } from "../desk.js";
import { say } from "../words/words.js";
import { nothing, put, wanted } from "./setting.js";

/** One of the three. */
export interface Act {
  readonly what: string;
  readonly state: "waiting" | "pending" | "stays" | "taken back" | "wrong";
}

/** Milliseconds between two edits, and until the server answers each. */
const pause = 450;
const delay = 2000;

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Plays it and tells how it stands; about four seconds. Gives the card, or undefined if the board has no room for the play. */
export async function play(desk: Desk, tell: (acts: readonly Act[]) => void): Promise<string | undefined> {
  const { store } = desk;
  const [home, away] = stage(desk);
  if (!home || !away) return undefined;
  await put(desk, nothing);
  const made = store.create("card", { columnId: home, title: say("lab.script.card"), position: { after: null } });
  if (!(await made).ok) return undefined;
  const id = made.entityId;
  await put(desk, { ...nothing, delayMs: delay, plan: ["pass", "refuse", "pass"] });
  const card = () => store.get<Card>(id);
  const edits: readonly { readonly what: string; readonly stays: boolean; make(): Sent; holds(): boolean }[] = [
    {
      what: say("lab.script.rename"), stays: true,
      make: () => store.mutate(id, { title: say("lab.script.renamed") }), holds: () => card()?.title === say("lab.script.renamed"),
    },
    {
      what: say("lab.script.move", { column: store.get(away)?.["title"] as string }), stays: false,
      make: () => store.mutate(id, { columnId: away, position: { after: null } }), holds: () => card()?.columnId === away,
    },
    { what: say("lab.script.like"), stays: true, make: () => store.mutate(id, { liked: true }), holds: () => card()?.liked === true },
  ];
  const acts: Act[] = edits.map(({ what }) => ({ what, state: "waiting" }));
  const set = (i: number, state: Act["state"]) => {
    acts[i] = { ...acts[i]!, state };
    tell([...acts]);
  };
  tell([...acts]);
  await wait(pause);
  const verdicts: Promise<unknown>[] = [];
  for (const [i, { stays, make, holds }] of edits.entries()) {
    const sent = make();
    set(i, "pending");
    verdicts.push(sent.then(({ ok }) => set(i, ok !== stays || holds() !== stays ? "wrong" : stays ? "stays" : "taken back")));
    await wait(pause);
  }
  await Promise.all(verdicts);
  // What stays must still stand when all is over.
  edits.forEach(({ stays, holds }, i) => holds() === stays || set(i, "wrong"));
  await put(desk, wanted());
  return id;
}

/** Two columns that take the card: where it stands, and where it wants to go. */
function stage(desk: Desk): readonly string[] {
  return columnsOf(desk).filter(({ id, wipLimit, wipMode }) => !wipLimit || wipMode === "soft" || cardsIn(desk, id).length < wipLimit)
    .slice(0, 2).map((column) => column.id);
}
