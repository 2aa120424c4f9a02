// What waits for its verdict, one by one, and what is too old to be sent unasked.

import { useEffect, useState } from "preact/hooks";

import type { Mutation, StaleMutation } from "@snapback/client";

import { useDesk } from "../desk.js";
import { ago } from "../words/dates.js";
import { say } from "../words/words.js";
import { before, describe, inWords, wordsIn } from "./mutation.js";

/** As many are listed. */
const most = 100;

export function Queue({ stale }: { readonly stale: readonly StaleMutation[] }) {
  const { store } = useDesk();
  const waiting = useEntries();
  return (
    <>
      <h2>{say("queue.label")}</h2>
      {!waiting.length && !stale.length && <p class="soft">{say(store.status === "live" ? "queue.none" : "queue.none.offline")}</p>}
      {waiting.length > 0 && <ul class="queue-list">{waiting.slice(0, most).map((m) => <Waiting key={m.id} mutation={m} />)}</ul>}
      {waiting.length > most && <p class="soft">{say("notes.more", { count: waiting.length - most })}</p>}
      {stale.length > 0 && (
        <>
          <h3>{say("queue.old.head")}</h3>
          <p class="soft">{say("queue.old.why")}</p>
          <ul class="queue-list">{stale.map((m) => <Old key={m.id} mutation={m} />)}</ul>
        </>
      )}
    </>
  );
}

/** The changes without verdict, as they are now. */
function useEntries(): readonly Mutation[] {
  const { store } = useDesk();
  const [, draw] = useState(0);
  useEffect(() => {
    let frame: number | undefined;
    const look = () => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        draw((n) => n + 1);
      });
    };
    const own = { made: look, sending: look, concluded: look };
    store.engine.hooks.add(own);
    const end = store.onStatus(look);
    const clock = setInterval(look, 1000); // the times, and what becomes overdue
    return () => {
      if (frame !== undefined) cancelAnimationFrame(frame);
      clearInterval(clock);
      store.engine.hooks.delete(own);
      end();
    };
  }, [store]);
  return [...store.engine.entries.values()];
}

function Waiting({ mutation }: { readonly mutation: Mutation }) {
  const { store, texts } = useDesk();
  const { id, changes, madeAt, state } = mutation;
  const what = inWords(before(store), mutation);
  return (
    <li data-state={state}>
      <p>{what}</p>
      <Words changes={changes} />
      <p class="soft">
        <span>{say(`queue.state.${state}`)}</span> · <time>{ago(madeAt)}</time>
        {state !== "held" && <button type="button" class="link" aria-label={say("queue.cancel.what", { what })} onClick={() => texts.withdraw(id)}>{say("queue.cancel")}</button>}
      </p>
    </li>
  );
}

function Old({ mutation: { id, changes, madeAt } }: { readonly mutation: StaleMutation }) {
  const { store, offline } = useDesk();
  const what = describe(store, changes);
  return (
    <li data-state="old">
      <p>{what}</p>
      <Words changes={changes} />
      <p class="soft">
        <time>{ago(madeAt)}</time>
        <button type="button" class="link" aria-label={say("queue.send.what", { what })} onClick={() => void offline.resend(id)}>{say("queue.send")}</button>
        <button type="button" class="link" aria-label={say("queue.discard.what", { what })} onClick={() => offline.discard(id)}>{say("texts.discard")}</button>
      </p>
    </li>
  );
}

/** The text in a change, where it is more than its name. */
function Words({ changes }: Pick<Mutation, "changes">) {
  const long = wordsIn(changes).filter((w) => w.field === "description" || w.field === "text" || w.text.length > 60);
  return long.length ? <blockquote dir="auto" class="note-kept" tabIndex={0}>{long.map((w) => w.text).join("\n\n")}</blockquote> : null;
}
