// A decision of the log in words: who did what, or wanted to and why not. Every event of RULES.md has words of its own, and
// one that is unknown is told plainly.

import type { Change } from "@snapback/client";

import { clip } from "../text/mutation.js";
import { list } from "../words/lists.js";
import { wording } from "../words/refusal.js";
import { en, say, type Key } from "../words/words.js";
import type { Known } from "./known.js";
import type { Decision, Event } from "./log.js";
import { tellCard } from "./tellcard.js";
import { tellOther } from "./tellother.js";

/** One thing that happened. */
export interface Line {
  readonly text: string;
  /** plain: it happened; refused: it did not. */
  readonly tone: "plain" | "refused";
  /** The card it happened to or on, if that is not what the history is of. */
  readonly on?: string;
  /** What the text calls that card, if it names it. */
  readonly link?: string;
  /** A longer text that was there before, or was said: shown when asked for. */
  readonly words?: { readonly text: string; readonly title: string };
}

/** What telling needs to know. */
export interface Telling {
  readonly known: Known;
  /** The entity whose history it is; "" for all of the board. */
  readonly subject: string;
  person(user: string): string;
  describe(changes: readonly Change[]): string;
}

/** The words of one event, before who and where are put in. */
export interface Said {
  readonly key: Key;
  readonly params?: { readonly [name: string]: string | number };
  readonly words?: Line["words"];
}

/** A text of somebody's own within a sentence: it keeps its direction and leaves that of the sentence alone. */
export const own = (text: string): string => `\u2068${text}\u2069`;

/** What something is called, in quotes. */
export const quoted = (name: string): string => say("history.quoted", { name: own(clip(name, 80)) });

/** The same, or what kind of thing it was if nobody knows its name any more. */
export function called(t: Telling, id: string, kind: string): string {
  if (id && id === t.subject) return say("history.it");
  const name = t.known.nameOf(id);
  if (name !== undefined) return quoted(name);
  const key = `history.some.${kind}` as Key;
  return say(kinds.has(kind) ? key : "history.some");
}

/** The same behind a word for its kind: the column “Doing”. */
export function namedAs(t: Telling, id: string): string {
  const name = t.known.nameOf(id);
  return name === undefined ? say("history.nameless") : quoted(name);
}

/** Another name for something: in its own history it, elsewhere by the name it had. */
export function renamed(t: Telling, id: string, from: unknown, to: unknown): Said {
  const names = { from: quoted(typeof from === "string" ? from : ""), to: quoted(typeof to === "string" ? to : "") };
  return id === t.subject ? { key: "history.renamed.it", params: names } : { key: "history.renamed", params: names };
}

const kinds = new Set(["board", "card", "checklist", "column", "comment", "file", "item", "label", "member"]);

/** How many of each kind: 3 comments and 1 file; "" if none. */
export function counted(gone: { readonly [kind: string]: number } = {}): string {
  const parts = Object.entries(gone).filter(([kind, n]) => n > 0 && kinds.has(kind));
  return list(parts.map(([kind, count]) => say(`history.count.${kind}` as Key, { count })));
}

/** The lines that tell a decision, in the order of its events; none if nothing was changed. */
export function tell(decision: Decision, t: Telling): readonly Line[] {
  const who = own(t.person(decision.user));
  if (decision.outcome === "refused") return [refusal(decision, who, t)];
  const { events = [] } = decision;
  if (decision.op === "import") return imported(decision, events, who, t);
  const ours = t.subject ? events.filter((ev) => concerns(ev, t)) : events;
  return (ours.length ? ours : events).flatMap((ev) => event(ev, who, t));
}

function event(ev: Event, who: string, t: Telling): readonly Line[] {
  const said = ev.type.startsWith("card.") ? tellCard(ev, t) : tellOther(ev, t);
  const on = place(ev, t);
  const link = on === ev.entityId ? called(t, on, "card") : undefined;
  return said.map(({ key, params, words }) => ({
    text: say(ofItself(key, params, t), { ...params, who }), tone: "plain", ...(on && { on }), ...(link && { link }), ...(words && { words }),
  }));
}

/** In its own history: the words that do not say of what, where there are some. */
function ofItself(key: Key, params: Said["params"], { subject }: Telling): Key {
  const own = `${key}.own`;
  return subject && params?.["what"] === say("history.it") && own in en ? (own as Key) : key;
}

/** The card to show with an event: where it was then, as far as the event says. */
function place({ type, entityId, after = {} }: Event, t: Telling): string | undefined {
  if (type === "card.deleted") return undefined;
  const given = after["cardId"];
  const onBoard = given === null || (given === undefined && type === "file.added");
  const card = type.startsWith("card.") ? entityId : typeof given === "string" ? given : onBoard ? undefined : t.known.cardOf(entityId);
  return card && card !== t.subject ? card : undefined;
}

/** Is the event about the history's subject, or about what hangs on it? */
function concerns({ entityId, before, after, positions }: Event, { subject, known }: Telling): boolean {
  if (positions && subject in positions) return true;
  for (const field of ["columnId", "cardId", "checklistId"]) if (before?.[field] === subject || after?.[field] === subject) return true;
  for (let at: string | undefined = entityId, left = 4; at && left; at = known.parentOf(at), left--) if (at === subject) return true;
  return false;
}

function refusal({ op, changes = [], rejection }: Decision, who: string, t: Telling): Line {
  const { code = "", details = {} } = rejection ?? {};
  if (op === "cancel" && !changes.length) return { text: say("history.withdrawn", { who }), tone: "refused" };
  const nameOf = (id: string) => {
    const name = t.known.nameOf(id);
    return name === undefined ? undefined : own(clip(name));
  };
  const [change] = changes;
  const asked = [change?.patch?.["title"], change?.patch?.["name"]].find((n) => typeof n === "string");
  const what = nameOf(change?.entityId ?? "") ?? say("history.some");
  const why = wording({ code, details }, nameOf, what, asked === undefined ? what : own(clip(String(asked))));
  const on = change && onCard(change, t);
  const wish = op === "import" ? say("history.wish.import") : t.describe(changes);
  return { text: say("history.refused", { who, wish: own(wish), why }), tone: "refused", ...(on && { on }) };
}

function onCard({ entityId, patch }: Change, t: Telling): string | undefined {
  const given = patch?.["cardId"];
  const card = t.known.get(entityId)?.kind === "card" ? entityId : typeof given === "string" ? given : t.known.cardOf(entityId);
  return card === t.subject ? undefined : card;
}

/** An import makes thousands of things at once; the history of one of them tells of that one. */
function imported(decision: Decision, events: readonly Event[], who: string, t: Telling): readonly Line[] {
  const source = own(decision.import?.source ?? say("history.some"));
  const mine = events.find((ev) => ev.entityId === t.subject && t.subject);
  if (mine?.origin) {
    const { createdBy } = mine.origin;
    return [{ text: say("history.imported.one", { who, source, by: own(t.person(createdBy)) }), tone: "plain" }];
  }
  const made = events.filter((ev) => ev.type !== "board.imported").length;
  const out: Line[] = made ? [{ text: say("history.imported.some", { who, source, count: made }), tone: "plain" }] : [];
  if (made < events.length) out.push({ text: say("history.board.imported", { who, source }), tone: "plain" });
  return out;
}
