// What is pending, and what became of what was: store.inspect() for people. It is looked at while the panel is open only,
// and four times a second at most.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Inspection, Store } from "@snapback/client";

import { nameOf, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { announce, note } from "../say.js";
import { describe } from "../text/mutation.js";
import { duration } from "../words/dates.js";
import { wording } from "../words/refusal.js";
import { say } from "../words/words.js";
import { mostWaiting, over, sums, waiting, type Over, type Speaking, type Waiting } from "./inspecting.js";

/** Milliseconds between two looks. */
const often = 250;

export function InspectPanel() {
  const { store, texts } = useDesk();
  const seen = useInspection(store);
  const speaking = speak(store);
  const rows = waiting(seen, speaking);
  const done = over(seen, speaking);
  return (
    <div class="inspect">
      <Facts seen={seen} />
      <section aria-labelledby="inspect-pending">
        <h3 id="inspect-pending" tabIndex={-1}>{say("inspect.pending", { count: seen.pending.length })}</h3>
        {!rows.length && <p class="file-about">{say("inspect.noneWaits")}</p>}
        <ul>{rows.map((row) => <Pending key={row.id} row={row} cancel={() => texts.withdraw(row.id)} />)}</ul>
        {seen.pending.length > mostWaiting && <p class="file-about">{say("inspect.more", { count: seen.pending.length - mostWaiting })}</p>}
      </section>
      <section aria-labelledby="inspect-over">
        <h3 id="inspect-over">{seen.verdicts.length ? say("inspect.verdicts", { count: seen.verdicts.length }) : say("inspect.verdictsNone")}</h3>
        <Summary seen={seen} />
        <ul>{done.map((row) => <Verdict key={row.id} row={row} />)}</ul>
      </section>
      <button type="button" class="second with-icon" onClick={() => void copy(seen)}><Icon name="file" />{say("inspect.copy")}</button>
    </div>
  );
}

function speak(store: Store): Speaking {
  return {
    now: store.engine.now(),
    describe: (changes) => describe(store, changes),
    why: (verdict, changes) => {
      const [change] = changes;
      const name = nameOf(change?.patch as never);
      return wording(verdict, (id) => nameOf(store.get(id)), nameOf(store.get(change?.entityId ?? "")) ?? name, name);
    },
    deadline: (id) => store.engine.entries.get(id)?.expiresAt,
  };
}

/** Looks again when something happened, and while ages grow. */
function useInspection(store: Store): Inspection {
  const [seen, set] = useState(() => store.inspect());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const look = () => {
      timer = undefined;
      last = performance.now();
      set(store.inspect());
      if (store.engine.entries.size) later();
    };
    const later = () => void (timer ??= setTimeout(look, Math.max(0, last + often - performance.now())));
    const hooks = { made: later, sending: later, concluded: later, confirmed: later, live: later, gone: later, lagging: later, closed: later };
    store.engine.hooks.add(hooks);
    const deaf = store.onStatus(later);
    later();
    return () => {
      clearTimeout(timer);
      deaf();
      store.engine.hooks.delete(hooks);
    };
  }, [store]);
  return seen;
}

function Facts({ seen: { board, status, me, rev, epoch, entities, latencyMs } }: { readonly seen: Inspection }) {
  const none = say("inspect.unknown");
  const facts = [
    ["status", say(`status.${status}`)], ["board", board], ["rev", say("inspect.number", { n: rev })],
    ["roundTrip", latencyMs === undefined ? none : duration(latencyMs)], ["entities", say("inspect.number", { n: entities })],
    ["user", me ? `${me.user} (${say(`history.role.${me.role}`)})` : none], ["session", me?.session ?? none], ["epoch", epoch ?? none],
  ] as const;
  return (
    <dl class="inspect-facts">
      {facts.map(([key, value]) => <div key={key}><dt>{say(`inspect.${key}`)}</dt><dd><bdi>{value}</bdi></dd></div>)}
    </dl>
  );
}

function Pending({ row: { id, what, state, tone, age, deadline }, cancel }: { readonly row: Waiting; cancel(): void }) {
  const ref = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => () => {
    // Decided, the row goes; the focus stays in the list.
    if (ref.current?.contains(document.activeElement)) document.getElementById("inspect-pending")?.focus();
  }, []);
  return (
    <li ref={ref} class="inspect-row" data-mutation={id}>
      <div>
        <p dir="auto">{what}</p>
        <p class="file-about"><b data-tone={tone}>{state}</b> <span>{age}</span> {deadline && <span>{deadline}</span>}</p>
        <p class="inspect-id"><bdi>{id}</bdi></p>
      </div>
      <button type="button" class="second" aria-label={say("inspect.cancelNamed", { what })} onClick={cancel}>{say("inspect.cancel")}</button>
    </li>
  );
}

function Verdict({ row: { id, what, verdict, ok, took } }: { readonly row: Over }) {
  return (
    <li class="inspect-row" data-mutation={id} data-ok={ok}>
      <div>
        <p dir="auto">{what}</p>
        <p class="file-about"><b data-tone={ok ? "good" : "bad"}>{verdict}</b> <span>{took}</span></p>
      </div>
    </li>
  );
}

function Summary({ seen }: { readonly seen: Inspection }) {
  const { accepted, refused, codes, median } = sums(seen);
  if (!accepted && !refused) return <p class="file-about">{say("inspect.noneYet")}</p>;
  return (
    <p class="file-about">
      <span>{say("inspect.sum", { accepted, refused })}</span>
      {median !== undefined && <span>{say("inspect.median", { time: duration(median) })}</span>}
      {codes.map(([code, count]) => <code key={code}>{say("inspect.code", { code, n: count })}</code>)}
    </p>
  );
}

async function copy(seen: Inspection): Promise<void> {
  const json = JSON.stringify({
    ...seen,
    pending: seen.pending.map(({ id, changes, madeAt, state }) => ({ id, changes, madeAt: new Date(madeAt).toISOString(), state })),
  }, null, 2);
  try {
    await navigator.clipboard.writeText(json);
    announce(say("inspect.copied"));
    note({ tone: "plain", title: say("inspect.copied") });
  } catch {
    note({ tone: "plain", title: say("inspect.notCopied"), kept: json });
  }
}
