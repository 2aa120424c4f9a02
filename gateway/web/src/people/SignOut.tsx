// Leaves nothing of a person in the browser.

import type { Desk } from "../desk.js";
import { Pop } from "../parts/Pop.js";
import { Question } from "../parts/Sure.js";
import { note } from "../say.js";
import { signOut } from "../session.js";
import { own, shared } from "../storage.js";
import { say } from "../words/words.js";

/** Deletes what is kept of boards here, then forgets the token. Without a desk no board is open in this window. */
export async function leave(desk?: Desk): Promise<void> {
  const failed = await (desk ? desk.offline.signOut() : wipe()).then(() => false, () => true);
  desk?.texts.drafts.forget();
  forgetAll();
  signOut();
  if (failed) note({ tone: "plain", title: say("signIn.outFailed") });
  setTimeout(forgetAll); // what the board wrote when it was closed
}

function forgetAll(): void {
  for (const shelf of [own, shared]) {
    for (const key of shelf.keys()) if (key.startsWith("snapback.") && !settings.has(key)) shelf.remove(key);
  }
}

/** What is nobody's: how the page looks. */
const settings: ReadonlySet<string> = new Set(["snapback.theme"]);

const wait = 5000; // milliseconds: another window may hold a database open

async function wipe(): Promise<void> {
  const names = ((await indexedDB.databases?.()) ?? []).map(({ name }) => name ?? "").filter((name) => name.startsWith(`snapback:${location.origin}`));
  await Promise.all(names.map((name) => new Promise<void>((done, failed) => {
    const asked = indexedDB.deleteDatabase(name);
    asked.onsuccess = () => done();
    asked.onerror = () => failed(asked.error);
    setTimeout(() => failed(new Error("IndexedDB: no answer")), wait);
  })));
}

/** How many changes would be lost with what is kept here. */
const unsent = (desk: Desk | undefined): number => (desk ? desk.store.inspect().pending.length + desk.offline.stale.length : 0);

/** What is asked before it is done. */
export function signOutQuestion(desk?: Desk): string {
  const count = unsent(desk);
  return `${count ? `${say("signIn.outLoses", { count })} ` : ""}${say("signIn.outSure")}`;
}

export function SignOut({ desk }: { readonly desk?: Desk }) {
  const name = say("signIn.out");
  return (
    <Pop label={name} face={name} className="second">
      {(close) => <Question question={signOutQuestion(desk)} act={name} run={() => void leave(desk)} close={close} />}
    </Pop>
  );
}
