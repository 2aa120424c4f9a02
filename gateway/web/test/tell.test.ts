import assert from "node:assert/strict";
import { test } from "node:test";

import type { Entity } from "@snapback/client";

import { known, nameless } from "../src/history/known.js";
import type { Decision, Event } from "../src/history/log.js";
import { lines } from "../src/history/log.js";
import { tell, type Telling } from "../src/history/tell.js";

const entities: { readonly [id: string]: Entity } = {
  b: { id: "b", kind: "board", title: "Team" },
  next: { id: "next", kind: "column", title: "Next" },
  doing: { id: "doing", kind: "column", title: "Doing", wipLimit: 3 },
  login: { id: "login", kind: "card", title: "Fix login", columnId: "next" },
  other: { id: "other", kind: "card", title: "Dark mode", columnId: "next" },
  red: { id: "red", kind: "label", name: "Bug" },
  plain: { id: "plain", kind: "label", color: "red" },
  steps: { id: "steps", kind: "checklist", title: "Steps", cardId: "login" },
  call: { id: "call", kind: "item", text: "Call them", checklistId: "steps" },
  said: { id: "said", kind: "comment", text: "Looks good", cardId: "login" },
  plan: { id: "plan", kind: "file", name: "plan.pdf", cardId: "login" },
  "member:ben": { id: "member:ben", kind: "member", user: "ben", name: "Ben B." },
};

/** Isolates are there for the eye only. */
const bare = (text: string) => text.replace(/[\u2066-\u2069]/gu, "");

function telling(decisions: readonly Decision[], subject = ""): Telling {
  return {
    subject, known: known(decisions, (id) => entities[id]),
    person: (user) => String(entities[`member:${user}`]?.["name"] ?? user),
    describe: (changes) => `Change ${changes.map((c) => c.entityId).join()}`,
  };
}

const accepted = (...events: Partial<Event>[]): Decision => ({
  outcome: "accepted", id: "m1", op: "mutate", user: "ann", at: "2026-03-01T10:00:00Z", rev: 7,
  events: events.map((ev) => ({ type: "", rev: 7, entityId: "", ...ev })),
});

const told = (event: Partial<Event>, subject = "") => {
  const decision = accepted(event);
  return tell(decision, telling([decision], subject)).map((l) => bare(l.text)).join(" | ");
};

// Every event of RULES.md.
const table: readonly (readonly [Partial<Event> & { readonly type: string }, string])[] = [
  [{ type: "board.created", entityId: "b", after: { title: "Team" } }, "ann made the board"],
  [{ type: "board.changed", entityId: "b", before: { title: "A" }, after: { title: "B" } }, "ann renamed the board from “A” to “B”"],
  [{ type: "board.changed", entityId: "b", before: { description: null }, after: { description: "x" } }, "ann described the board"],
  [{ type: "board.changed", entityId: "b", before: { "x-a": null }, after: { "x-a": 1 } }, "ann changed “x-a” of “Team”"],
  [{ type: "board.archived", entityId: "b", before: { archived: null }, after: { archived: true } }, "ann archived the board"],
  [{ type: "board.restored", entityId: "b", before: { archived: true }, after: { archived: null } }, "ann brought the board back from the archive"],
  [{ type: "board.imported", entityId: "b" }, "ann finished the import from something"],
  [{ type: "member.added", entityId: "member:ben", after: { user: "ben", role: "editor" } }, "ann added “Ben B.” as editor"],
  [{ type: "member.changed", entityId: "member:ben", before: { role: "viewer" }, after: { role: "admin" } }, "ann made “Ben B.”, who was viewer, admin"],
  [{ type: "member.changed", entityId: "member:ben", before: { name: null }, after: { name: "Ben" } }, "ann changed the name of “Ben B.” to “Ben”"],
  [{ type: "member.changed", entityId: "member:ben", before: { avatar: null }, after: { avatar: "https://a" } }, "ann changed the picture of “Ben B.”"],
  [{ type: "member.removed", entityId: "member:ben" }, "ann removed “Ben B.” from the members"],
  [{ type: "column.created", entityId: "doing", after: { title: "Doing" } }, "ann added the column “Doing”"],
  [{ type: "column.renamed", entityId: "doing", before: { title: "WIP" }, after: { title: "Doing" } }, "ann renamed “WIP” to “Doing”"],
  [{ type: "column.moved", entityId: "doing", before: { position: "a" }, after: { position: "b" } }, "ann moved the column “Doing”"],
  [{ type: "column.changed", entityId: "doing", before: { wipLimit: null }, after: { wipLimit: 1 } }, "ann limited “Doing” to 1 card"],
  [{ type: "column.changed", entityId: "doing", before: { wipLimit: 3 }, after: { wipLimit: 5 } }, "ann changed the limit of “Doing” from 3 to 5 cards"],
  [{ type: "column.changed", entityId: "doing", before: { wipLimit: 3 }, after: { wipLimit: 0 } }, "ann removed the limit of “Doing”"],
  [{ type: "column.changed", entityId: "doing", before: { wipMode: null }, after: { wipMode: "soft" } }, "ann made the limit of “Doing” a recommendation"],
  [{ type: "column.changed", entityId: "doing", before: { color: null }, after: { color: "red" } }, "ann changed the colour of “Doing”"],
  [{ type: "column.archived", entityId: "doing" }, "ann archived the column “Doing”"],
  [{ type: "column.restored", entityId: "doing" }, "ann restored the column “Doing”"],
  [{ type: "column.deleted", entityId: "gone" }, "ann deleted the column of which the name is not known here"],
  [{ type: "card.created", entityId: "login", after: { title: "Fix login", columnId: "next" } }, "ann added “Fix login” to “Next”"],
  [{ type: "card.renamed", entityId: "login", before: { title: "A" }, after: { title: "B" } }, "ann renamed “A” to “B”"],
  [{ type: "card.moved", entityId: "login", before: { columnId: "next" }, after: { columnId: "doing" } }, "ann moved “Fix login” from “Next” to “Doing”"],
  [{ type: "card.moved", entityId: "login", before: { position: "a" }, after: { position: "b" } }, "ann moved “Fix login” within its column"],
  [{ type: "card.changed", entityId: "login", before: { description: "old" }, after: { description: "new" } }, "ann changed the description of “Fix login”"],
  [{ type: "card.changed", entityId: "login", before: { due: null }, after: { due: "2020-03-01" } }, "ann set the due date of “Fix login” to Mar 1, 2020"],
  [{ type: "card.changed", entityId: "login", before: { due: "2020-03-01" }, after: { due: "2020-03-05" } }, "ann changed the due date of “Fix login” from Mar 1, 2020 to Mar 5, 2020"],
  [{ type: "card.changed", entityId: "login", before: { due: "2020-03-01" }, after: { due: null } }, "ann removed the due date of “Fix login”, Mar 1, 2020"],
  [{ type: "card.changed", entityId: "login", before: { due: null }, after: { due: "soon" } }, "ann set the due date of “Fix login” to soon"],
  [{ type: "card.changed", entityId: "login", before: { start: null }, after: { start: "2020-03-01" } }, "ann set the start of “Fix login” to Mar 1, 2020"],
  [{ type: "card.changed", entityId: "login", before: { done: null }, after: { done: "2020-03-01T10:00:00Z" } }, "ann marked “Fix login” as done"],
  [{ type: "card.changed", entityId: "login", before: { done: "2020-03-01T10:00:00Z" }, after: { done: null } }, "ann marked “Fix login” as not done"],
  [{ type: "card.changed", entityId: "login", before: { color: "red", "x-a": 1 }, after: { color: null, "x-a": 2 } }, "ann removed the colour of “Fix login” | ann changed “x-a” of “Fix login”"],
  [{ type: "card.labelled", entityId: "login", added: { labels: ["red", "plain"] } }, "ann labelled “Fix login” “Bug” and a label without a name"],
  [{ type: "card.labelled", entityId: "login", added: { labels: ["plain"] }, removed: { labels: ["red"] } }, "ann labelled “Fix login” a label without a name | ann removed “Bug” from the labels of “Fix login”"],
  [{ type: "card.labelled", entityId: "login", before: { labels: ["red"] }, after: { labels: null } }, "ann removed “Bug” from the labels of “Fix login”"],
  [{ type: "card.assigned", entityId: "login", added: { assignees: ["ben", "cleo"] }, removed: { assignees: ["dan"] } }, "ann assigned Ben B. and cleo to “Fix login” | ann took dan off “Fix login”"],
  [{ type: "card.liked", entityId: "login", added: { likedBy: ["ann"] } }, "ann likes “Fix login”"],
  [{ type: "card.unliked", entityId: "login", removed: { likedBy: ["ann"] } }, "ann no longer likes “Fix login”"],
  [{ type: "card.archived", entityId: "login" }, "ann archived “Fix login”"],
  [{ type: "card.restored", entityId: "login" }, "ann restored “Fix login”"],
  [{ type: "card.deleted", entityId: "login" }, "ann deleted “Fix login”"],
  [{ type: "card.deleted", entityId: "login", gone: { comment: 3, file: 1 } }, "ann deleted “Fix login”, and with it 3 comments and 1 file"],
  [{ type: "checklist.created", entityId: "steps", after: { title: "Steps", cardId: "login" } }, "ann added the checklist “Steps”"],
  [{ type: "checklist.changed", entityId: "steps", before: { title: "A" }, after: { title: "B" } }, "ann renamed “A” to “B”"],
  [{ type: "checklist.changed", entityId: "steps", before: { title: null }, after: { title: "B" } }, "ann changed the title of the checklist “Steps”"],
  [{ type: "checklist.moved", entityId: "steps", before: { position: "a" }, after: { position: "b" } }, "ann moved the checklist “Steps”"],
  [{ type: "checklist.moved", entityId: "steps", before: { cardId: "login" }, after: { cardId: "other" } }, "ann moved the checklist “Steps” to “Dark mode”"],
  [{ type: "checklist.deleted", entityId: "steps", gone: { item: 2 } }, "ann deleted “Steps”, and with it 2 entries"],
  [{ type: "checklist.deleted", entityId: "steps" }, "ann deleted the checklist “Steps”"],
  [{ type: "item.created", entityId: "call", after: { text: "Call them", checklistId: "steps" } }, "ann added “Call them” to a checklist"],
  [{ type: "item.changed", entityId: "call", before: { text: "A" }, after: { text: "B" } }, "ann renamed “A” to “B”"],
  [{ type: "item.changed", entityId: "call", before: { assignee: null }, after: { assignee: "ben" } }, "ann assigned Ben B. to “Call them”"],
  [{ type: "item.changed", entityId: "call", before: { assignee: "ben" }, after: { assignee: null } }, "ann took Ben B. off “Call them”"],
  [{ type: "item.changed", entityId: "call", before: { due: null }, after: { due: "2020-03-01" } }, "ann set the due date of “Call them” to Mar 1, 2020"],
  [{ type: "item.checked", entityId: "call", after: { done: true } }, "ann checked off “Call them”"],
  [{ type: "item.unchecked", entityId: "call", after: { done: null } }, "ann reopened “Call them”"],
  [{ type: "item.moved", entityId: "call", after: { position: "b" } }, "ann moved “Call them” within its checklist"],
  [{ type: "item.moved", entityId: "call", after: { checklistId: "steps" } }, "ann moved “Call them” to the checklist “Steps”"],
  [{ type: "item.deleted", entityId: "call" }, "ann deleted “Call them” from a checklist"],
  [{ type: "label.created", entityId: "red", after: { name: "Bug" } }, "ann made the label “Bug”"],
  [{ type: "label.changed", entityId: "red", before: { name: "A" }, after: { name: "B" } }, "ann renamed “A” to “B”"],
  [{ type: "label.changed", entityId: "red", before: { name: null }, after: { name: "B" } }, "ann changed the name of the label “Bug”"],
  [{ type: "label.changed", entityId: "red", before: { color: "red" }, after: { color: "blue" } }, "ann changed the colour of “Bug”"],
  [{ type: "label.changed", entityId: "red", before: { position: "a" }, after: { position: "b" } }, "ann moved the label “Bug”"],
  [{ type: "label.deleted", entityId: "red" }, "ann deleted the label “Bug”"],
  [{ type: "comment.added", entityId: "said", after: { text: "Looks good", cardId: "login" } }, "ann commented: “Looks good”"],
  [{ type: "comment.edited", entityId: "said", before: { text: "A" }, after: { text: "B" } }, "ann edited a comment: “B”"],
  [{ type: "comment.deleted", entityId: "said" }, "ann deleted the comment “Looks good”"],
  [{ type: "file.added", entityId: "plan", after: { name: "plan.pdf", size: 1200000 } }, "ann added the file “plan.pdf”, 1.2 MB"],
  [{ type: "file.added", entityId: "plan", after: { name: "plan.pdf", url: "https://a" } }, "ann added the link “plan.pdf”"],
  [{ type: "file.renamed", entityId: "plan", before: { name: "a.pdf" }, after: { name: "plan.pdf" } }, "ann renamed “a.pdf” to “plan.pdf”"],
  [{ type: "file.moved", entityId: "plan", before: { cardId: null }, after: { cardId: "login" } }, "ann moved the file “plan.pdf” to “Fix login”"],
  [{ type: "file.moved", entityId: "plan", before: { cardId: "login" }, after: { cardId: null } }, "ann moved the file “plan.pdf” to the board"],
  [{ type: "file.replaced", entityId: "plan", before: { sha256: "1" }, after: { sha256: "2" } }, "ann put new content into the file “plan.pdf”"],
  [{ type: "file.replaced", entityId: "plan", before: { url: "https://a" }, after: { url: "https://b" } }, "ann changed the address of “plan.pdf”"],
  [{ type: "file.deleted", entityId: "plan" }, "ann deleted the file “plan.pdf”"],
  [{ type: "list.respaced", entityId: "doing", positions: { login: ["a", "b"] } }, "The places in a list were numbered anew, with a change of ann’s"],
];

for (const [event, want] of table) test(`${event.type}: ${want}`, () => assert.equal(told(event), want));

test("every event that the rules name is in the table", () => {
  const verbs = {
    board: "created changed archived restored imported", member: "added changed removed",
    column: "created renamed moved changed archived restored deleted",
    card: "created renamed moved changed labelled assigned liked unliked archived restored deleted",
    checklist: "created changed moved deleted", item: "created changed checked unchecked moved deleted",
    label: "created changed deleted", comment: "added edited deleted", file: "added renamed moved replaced deleted", list: "respaced",
  };
  const named = Object.entries(verbs).flatMap(([kind, all]) => all.split(" ").map((verb) => `${kind}.${verb}`));
  const tested = new Set(table.map(([{ type }]) => type));
  assert.deepEqual(named.filter((type) => !tested.has(type)), []);
});

test("what this page does not know is told plainly", () => {
  assert.equal(told({ type: "card.painted", entityId: "login", after: {} }), "ann: card.painted, “Fix login”");
  assert.equal(told({ type: "robot.built", entityId: "r2" }), "ann: robot.built, something");
  assert.equal(told({ type: "constructor.name", entityId: "r2" }), "ann: constructor.name, something");
  assert.equal(told({ type: "card.moved", entityId: "login", before: { columnId: "away" }, after: { columnId: "doing" } }), "ann moved “Fix login” from a deleted column to “Doing”");
  assert.equal(told({ type: "card.constructor", entityId: "login" }), "ann: card.constructor, “Fix login”");
  assert.equal(told({ type: "column.constructor", entityId: "doing" }), "ann: column.constructor, “Doing”");
});

test("in its own history it is it, and what hangs on it says so", () => {
  assert.equal(told({ type: "card.moved", entityId: "login", before: { columnId: "next" }, after: { columnId: "doing" } }, "login"), "ann moved it from “Next” to “Doing”");
  assert.equal(told({ type: "card.renamed", entityId: "login", before: { title: "A" }, after: { title: "B" } }, "login"), "ann renamed it from “A” to “B”");
  assert.equal(told({ type: "item.checked", entityId: "call", after: { done: true } }, "login"), "ann checked off “Call them”");
});

test("in its own history nothing is of it", () => {
  assert.equal(told({ type: "card.changed", entityId: "login", before: { due: "2020-03-01" }, after: { due: null } }, "login"), "ann removed the due date, Mar 1, 2020");
  assert.equal(told({ type: "card.changed", entityId: "login", before: { description: null, "x-a": 1 }, after: { description: "x", "x-a": 2 } }, "login"), "ann wrote a description | ann changed “x-a”");
  assert.equal(told({ type: "card.labelled", entityId: "login", added: { labels: ["red"] } }, "login"), "ann added “Bug” to the labels");
});

test("no history links to what it is of", () => {
  const decision = accepted({ type: "card.archived", entityId: "login" }, { type: "item.checked", entityId: "call", after: { done: true } });
  assert.deepEqual(tell(decision, telling([decision], "login")).map((l) => [l.on, l.link]), [[undefined, undefined], [undefined, undefined]]);
});

test("the board's history links to the card, once by its name", () => {
  const of = (event: Partial<Event>) => {
    const decision = accepted(event);
    return tell(decision, telling([decision]))[0]!;
  };
  const moved = of({ type: "card.archived", entityId: "login" });
  assert.equal(moved.on, "login");
  assert.ok(moved.text.includes(moved.link!));
  const checked = of({ type: "item.checked", entityId: "call", after: { done: true } });
  assert.deepEqual([checked.on, checked.link], ["login", undefined]);
  assert.equal(of({ type: "column.moved", entityId: "doing", after: { position: "b" } }).on, undefined);
});

test("of a mutation of several, a history tells what is its own", () => {
  const decision = accepted({ type: "card.archived", entityId: "login" }, { type: "card.archived", entityId: "other" });
  assert.deepEqual(tell(decision, telling([decision], "other")).map((l) => bare(l.text)), ["ann archived it"]);
  assert.equal(tell(decision, telling([decision])).length, 2);
  const comes = accepted({ type: "file.moved", entityId: "x", before: { cardId: "login" }, after: { cardId: null } }, { type: "card.archived", entityId: "other" });
  assert.deepEqual(tell(comes, telling([comes], "login")).map((l) => bare(l.text)), ["ann moved the file of which the name is not known here to the board"]);
});

test("a file was where it was then", () => {
  const on = (event: Partial<Event>) => {
    const decision = accepted(event);
    return tell(decision, telling([decision]))[0]!.on;
  };
  assert.equal(on({ type: "file.added", entityId: "plan", after: { name: "plan.pdf" } }), undefined);
  assert.equal(on({ type: "file.added", entityId: "plan", after: { name: "plan.pdf", cardId: "other" } }), "other");
  assert.equal(on({ type: "file.moved", entityId: "plan", before: { cardId: "login" }, after: { cardId: null } }), undefined);
  assert.equal(on({ type: "card.deleted", entityId: "login" }), undefined);
});

test("names are looked for that nobody knows", () => {
  const decisions: Decision[] = [
    accepted({ type: "card.moved", entityId: "a", before: { columnId: "x" }, after: { columnId: "doing" } }),
    accepted({ type: "list.respaced", entityId: "y", positions: {} }), accepted({ type: "member.removed", entityId: "member:z" }),
    { ...accepted({ type: "card.created", entityId: "i", after: {} }), op: "import" },
    { ...accepted(), outcome: "refused", events: [], changes: [{ entityId: "away", patch: { archived: null } }, { entityId: "new", patch: { kind: "card" } }, { entityId: "a", patch: null }] },
  ];
  assert.deepEqual(nameless(decisions, (id) => id in entities), ["a", "x", "away"]);
});

test("what is gone is called as the log has called it", () => {
  const decisions = [
    accepted({ type: "card.created", entityId: "gone", after: { title: "Old", columnId: "doing" } }),
    accepted({ type: "checklist.created", entityId: "list", after: { title: "Steps", cardId: "gone" } }),
    accepted({ type: "item.created", entityId: "it", after: { text: "First", checklistId: "list" } }),
    accepted({ type: "card.renamed", entityId: "gone", before: { title: "Old" }, after: { title: "Older" } }),
    accepted({ type: "card.deleted", entityId: "gone", gone: { checklist: 1, item: 1 } }),
  ];
  const t = telling(decisions);
  assert.deepEqual(tell(decisions[4]!, t).map((l) => bare(l.text)), ["ann deleted “Older”, and with it 1 checklist and 1 entry"]);
  assert.equal(t.known.cardOf("it"), "gone");
});

test("a refusal says who wanted what and why not", () => {
  const refused: Decision = {
    outcome: "refused", id: "m2", op: "mutate", user: "ann", at: "2026-03-01T10:00:00Z", rev: 7,
    changes: [{ entityId: "login", patch: { columnId: "doing" } }],
    rejection: { code: "wip_limit", details: { columnId: "doing", count: 3, limit: 3 } },
  };
  const [line] = tell(refused, telling([]));
  assert.equal(bare(line!.text), "ann wanted: Change login. Refused: “Doing” is full (3 of 3).");
  assert.deepEqual([line!.tone, line!.on], ["refused", "login"]);
  const taken: Decision = { ...refused, changes: [{ entityId: "plan", patch: { name: "b.pdf" } }], rejection: { code: "name_taken", details: { entityId: "x" } } };
  assert.match(bare(tell(taken, telling([], "login"))[0]!.text), /Refused: “b\.pdf” already exists here\.$/);
  const odd: Decision = { ...refused, rejection: { code: "moon_phase" } };
  assert.match(bare(tell(odd, telling([]))[0]!.text), /Refused: The server refused it \(moon_phase\)\.$/);
  const withdrawn: Decision = { ...refused, op: "cancel", changes: [], rejection: { code: "withdrawn" } };
  assert.equal(bare(tell(withdrawn, telling([]))[0]!.text), "ann withdrew a change before it took effect");
});

test("what changed nothing is not told", () => assert.deepEqual(tell(accepted(), telling([])), []));

test("an import is one line, however much it makes, and one thing's history tells of that one", () => {
  const origin = { createdBy: "ben", createdAt: "2020-01-01T00:00:00Z" };
  const decision: Decision = {
    ...accepted(
      { type: "card.created", entityId: "login", after: { title: "Fix login" }, origin }, { type: "card.created", entityId: "other", after: {}, origin },
      { type: "board.imported", entityId: "b" },
    ),
    op: "import", import: { source: "trello:1" },
  };
  assert.deepEqual(tell(decision, telling([])).map((l) => bare(l.text)), ["ann imported 2 things from trello:1", "ann finished the import from trello:1"]);
  assert.deepEqual(tell(decision, telling([], "login")).map((l) => bare(l.text)), ["ann imported it from trello:1, where Ben B. had made it"]);
});

test("texts that were there before can be read again", () => {
  const decision = accepted({ type: "card.changed", entityId: "login", before: { description: "old words" }, after: { description: "new" } });
  assert.equal(tell(decision, telling([]))[0]!.words?.text, "old words");
  const long = "word ".repeat(40);
  const comment = accepted({ type: "comment.added", entityId: "said", after: { text: long, cardId: "login" } });
  assert.equal(tell(comment, telling([]))[0]!.words?.text, long);
});

test("names keep their direction to themselves", () => {
  const decision = accepted({ type: "card.renamed", entityId: "login", before: { title: "שלום (1)" }, after: { title: "مرحبا" } });
  const { text } = tell(decision, telling([]))[0]!;
  assert.ok(text.includes("“\u2068שלום (1)\u2069”") && text.includes("“\u2068مرحبا\u2069”") && text.startsWith("\u2068ann\u2069"), text);
  assert.equal([...text.matchAll(/\u2068/gu)].length, [...text.matchAll(/\u2069/gu)].length);
});

test("lines come in pieces", () => {
  const first = JSON.stringify(accepted());
  const { decisions, rest } = lines(`${first}\n${first.slice(0, 20)}`);
  assert.equal(decisions.length, 1);
  assert.equal(lines(`${rest}${first.slice(20)}\n`).decisions[0]!.id, "m1");
  assert.deepEqual(lines(""), { decisions: [], rest: "" });
});
