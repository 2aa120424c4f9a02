// The types an application sees: checked by tsc, never run. What must not compile says so.

import type { ReactElement } from "react";

import { connect, offline, type Card, type Code, type Column, type EntityChange, type EntityOf, type Sent, type Status } from "../src/index.js";
import type { Member, Patch, Refusal, Role, Verdict } from "../src/index.js";
import { attachPanel } from "../src/devtools.js";
import { load, type Page } from "../src/load.js";
import { presence, type Peer } from "../src/presence.js";
import {
  BoardProvider, useBoard, useChildren, useEntity, useList, useMutation, usePending, usePresence, type BoardProviderProps,
} from "../src/react.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_ extends true>(): void => {};

export function options(): void {
  connect({ board: "b" });
  connect({ board: "b", url: new URL("https://example.org"), token: "t", part: "open", ttl: 4000, rollbackOnSilence: true });
  connect({ board: "b", token: async () => "t" });
  connect({ board: "b", token: () => "t", user: "ann" });
  connect({ board: "b", offline: offline() });
  const later: string | undefined = undefined;
  connect({ board: "b", url: later, token: later, user: later, part: undefined, ttl: undefined, offline: undefined });
  connect({ board: "b", token: async () => later });
  // @ts-expect-error what offline() gives
  connect({ board: "b", offline: true });
  // @ts-expect-error called
  connect({ board: "b", offline });
  // @ts-expect-error a board must be named
  connect({ url: "https://example.org" });
  // @ts-expect-error the only part there is
  connect({ board: "b", part: "closed" });
  // @ts-expect-error a token is text
  connect({ board: "b", token: async () => 7 });
  // @ts-expect-error no such option
  connect({ board: "b", tokens: "t" });
}

const store = connect({ board: "b" });

export function reading(): void {
  const any = store.get("a");
  is<Same<typeof any, EntityOf | undefined>>();
  const card = store.get<Card>("a");
  is<Same<typeof card, Card | undefined>>();
  // @ts-expect-error it may not be there
  card.title;
  if (card) {
    is<Same<typeof card.likes, number>>();
    is<Same<typeof card.labels, readonly string[] | undefined>>();
    // @ts-expect-error views are immutable
    card.title = "x";
    // @ts-expect-error so are sets
    card.labels?.push("x");
  }
  is<Same<ReturnType<typeof store.list<"column">>, readonly Column[]>>();
  const members = store.list("member");
  is<Same<typeof members, readonly Member[]>>();
  is<Same<(typeof members)[number]["role"], Role>>();
  const cards = store.children("next", "card");
  is<Same<typeof cards, readonly Card[]>>();
  const all = store.children("next");
  is<Same<typeof all, readonly EntityOf[]>>();
  // @ts-expect-error no such kind
  store.list("cards");
  // @ts-expect-error no such kind
  store.children("next", "cards");
  // @ts-expect-error an array that is not copied is not sorted
  cards.sort();
  // A field of one's own: any JSON, or absent.
  const own = store.get("a")?.["x-estimate"];
  if (typeof own === "number") own.toFixed();
  // @ts-expect-error not known to be a number
  own?.toFixed();
  // A kind narrows.
  for (const e of [...store.children(""), store.get("a"), store.confirmed("a")]) {
    if (e?.kind === "card") is<Same<typeof e, Card>>();
  }
  is<Same<typeof store.status, Status>>();
  // @ts-expect-error the server says who you are
  store.me = undefined;
  // @ts-expect-error undefined before the server has said so
  store.me.user;
}

export async function loading(): Promise<void> {
  const page = await load(store, { card: "a" });
  is<Same<typeof page, Page>>();
  if (page.before !== null) await load(store, { card: "a", before: page.before });
  await load(store, { archive: true });
  // @ts-expect-error a card's comments, or the archive
  await load(store, { card: "a", archive: true, page: 2 });
  // @ts-expect-error of something
  await load(store, {});
}

export function subscribing(): void {
  const end = store.subscribe((changes) => {
    for (const { before, after } of changes) {
      if (after?.kind === "column") is<Same<typeof after, Column>>();
      if (before?.kind === "card") is<Same<typeof before.likes, number>>();
    }
  });
  store.subscribe((changes: readonly EntityChange[]) => changes[0]?.after?.["x-estimate"]);
  is<Same<typeof end, () => void>>();
  store.subscribe("a", (now, before) => is<Same<typeof now | typeof before, EntityOf | undefined>>());
  // @ts-expect-error one entity, and nothing to call
  store.subscribe("a");
  store.onStatus((s) => is<Same<typeof s, Status>>());
  store.onRollback((mutation, why) => [mutation.changes[0]?.entityId, why.code, why.details["limit"], why.ok satisfies false]);
  store.onSettled((mutation, v) => [mutation.id, v.ok ? v.rev : v.code]);
}

export async function changing(): Promise<void> {
  store.mutate("a", { title: "A" });
  store.mutate("a", { liked: true, labels: { add: "l", remove: ["m"] }, assignees: ["ann"], due: null });
  store.mutate("a", { columnId: "doing", position: { after: null } });
  store.mutate("a", { position: { before: "b" } }, { if: { title: "A", due: null }, ifRev: 7 });
  store.mutate("a", { "x-estimate": { hours: [1, 2] } });
  const [some, any]: [Partial<Card>, { [field: string]: string }] = [{ title: "A" }, {}];
  store.mutate("a", some);
  store.create("card", { columnId: "next", title: "new", description: some.description });
  store.mutate("a", any);
  // @ts-expect-error a title is text
  store.mutate("a", { title: 7 });
  // @ts-expect-error a mode of its own
  store.mutate("a", { wipMode: "firm" });
  // @ts-expect-error a place is before or after
  store.mutate("a", { position: { under: "b" } });
  // @ts-expect-error a like is yes or no
  store.mutate("a", { liked: "yes" });
  // @ts-expect-error members of a set are text
  store.mutate("a", { labels: { add: 7 } });
  // @ts-expect-error a date is no JSON
  store.mutate("a", { due: new Date() });
  // @ts-expect-error a function is none either
  store.mutate("a", { "x-run": () => {} });
  // @ts-expect-error `if` takes values, not changes
  store.mutate("a", { title: "A" }, { if: { title: undefined } });
  // @ts-expect-error remove deletes
  store.mutate("a", null);
  const patch: Patch = { title: "A" };
  // @ts-expect-error a patch that was given is not changed
  patch.liked = true;

  const sent = store.create("card", { columnId: "next", title: "new" });
  is<Same<typeof sent, Sent>>();
  is<Same<typeof sent.id | typeof sent.entityId, string>>();
  sent.cancel();
  // @ts-expect-error no such kind
  store.create("cards", {});
  store.remove("a", { ifRev: 3 });
  store.transact([{ entityId: "a", patch: { title: "A" }, if: { title: "B" } }, { entityId: "b", patch: null, ifRev: 2 }]);
  const id = store.newId();
  store.transact([{ entityId: id, patch: { kind: "column", title: "New" }, ifRev: 0 }, { entityId: "a", patch: { columnId: id } }]);
  // @ts-expect-error a change says of what
  store.transact([{ patch: { title: "A" } }]);

  const v = await sent;
  is<Same<typeof v, Verdict>>();
  // @ts-expect-error only an ack has a rev
  v.rev;
  // @ts-expect-error only a refusal has a code
  v.code;
  if (v.ok) {
    is<Same<typeof v.rev | typeof v.events, number>>();
    // @ts-expect-error an ack has none
    v.code;
  } else {
    is<Same<typeof v, Refusal>>();
    switch (v.code) {
      case "wip_limit": return void v.details["limit"];
      case "silence": case "closed": return;
      case "a_code_of_next_year": return;
    }
  }
  const code: Code = "anything";
  // @ts-expect-error a code is text
  const number: Code = 7;
  void [code, number];
}

interface Pointer {
  readonly at: { readonly x: number; readonly y?: number };
}
type Cursor = { readonly card?: string; readonly at?: readonly [number, number] };

export function presences(): void {
  const here = presence<Cursor>(store);
  here.set({ card: "a" });
  here.set({ at: [1, 2] });
  here.set(null);
  here.set(undefined);
  // @ts-expect-error not what was agreed
  here.set({ cards: "a" });
  is<Same<typeof here.others, readonly Peer<Cursor>[]>>();
  here.subscribe((others) => others.map((p) => p.data.card?.length));
  presence(store).set([1, "anything", { json: true }]);
  presence<Pointer>(store).set({ at: { x: 1 } });
  presence<string>(store).set("here");
  // @ts-expect-error a date is no JSON
  presence<{ since: Date }>(store);
  // @ts-expect-error nor is a function, however deep
  presence<{ at: { run: () => void } }>(store);
  // @ts-expect-error nor a large number
  presence<{ n: bigint }>(store);
  // @ts-expect-error others speak for themselves
  here.others = [];
  attachPanel(store)();
  // @ts-expect-error a panel shows a store
  attachPanel("demo");
}

export function Component(): ReactElement | null {
  const { status, me, board, store: held } = useBoard();
  void [status satisfies Status, me?.role, board?.title, held.rev];
  const card = useEntity<Card>("a");
  is<Same<typeof card, Card | undefined>>();
  const any = useEntity("a");
  if (any?.kind === "column") is<Same<typeof any, Column>>();
  const title = useEntity("a", (c: Card | undefined) => c?.title ?? "");
  is<Same<typeof title, string>>();
  const cards = useChildren("next", "card");
  is<Same<typeof cards, readonly Card[]>>();
  const open = useChildren("next", "card", (all) => all.filter((c) => !c.archived).length);
  is<Same<typeof open, number>>();
  const columns = useList("column");
  is<Same<typeof columns, readonly Column[]>>();
  // @ts-expect-error no such kind
  useChildren("next", "cards");
  const { mutate, create, error, isPending, reset } = useMutation();
  is<Same<ReturnType<typeof mutate>, Sent>>();
  void [error?.code, isPending satisfies boolean, reset, create("card", { columnId: "next", title: "new" }).entityId];
  const { others, set } = usePresence<Cursor>();
  set({ card: others[0]?.data.card ?? "a" });
  // @ts-expect-error not what was agreed
  set("a");
  return usePending("a") ? null : BoardProvider({ store }) as ReactElement;
}

export const providers: BoardProviderProps[] = [
  { store },
  { options: { board: "b" }, fallback: "…" },
  // @ts-expect-error one of them
  {},
  // @ts-expect-error not both
  { store, options: { board: "b" } },
];
