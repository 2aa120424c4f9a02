// What happened to an entity, in words, newest first; it grows while it is open.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { Store } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { personOf } from "../people/candidates.js";
import { follow, hrefOf } from "../route.js";
import { describe } from "../text/mutation.js";
import { ago, exactly } from "../words/dates.js";
import { wording } from "../words/refusal.js";
import { MomentLink } from "../time/ReplayButton.js";
import { say } from "../words/words.js";
import { known } from "./known.js";
import type { Decision } from "./log.js";
import { useNaming } from "./naming.js";
import { tell, type Line, type Telling } from "./tell.js";
import { useLog } from "./useLog.js";

/** How often the ages are written anew, in milliseconds. */
const ageing = 30_000;
/** How much of one mutation is told at once. */
const most = 5;

/** `entity` is the id of what the history is of; "" is all of the board. */
export function History({ entity }: { readonly entity: string }) {
  const desk = useDesk();
  const { decisions, state, failure, hasOlder, older, again } = useLog(desk, entity);
  const naming = useNaming(desk, decisions);
  const told = useTold(desk.store, decisions, naming, entity);
  useAgeing();
  return (
    <div class="history" data-history={entity} data-loaded={state}>
      <ol class="history-list" aria-label={say("history.label")} aria-busy={state === "loading"}>
        {told.map((one) => <Entry key={one.key} one={one} />)}
      </ol>
      {state === "loading" && <p class="file-about" role="status">{say("history.loading")}</p>}
      {state === "failed" && (
        <p class="history-failed">
          <span role="status">{say("history.failed", { why: wording(failure ?? { code: "offline", details: {} }, () => undefined) })}</span>{" "}
          <button type="button" class="second" onClick={again}>{say("history.again")}</button>
        </p>
      )}
      {state === "live" && (hasOlder
        ? <button type="button" class="second" onClick={older}>{say("history.older")}</button>
        : <p class="file-about">{say(told.length ? "history.all" : "history.none")}</p>)}
    </div>
  );
}

interface Told {
  readonly key: string;
  readonly decision: Decision;
  readonly lines: readonly Line[];
  readonly nameOf: (id: string) => string | undefined;
}

/** naming are decisions that are not shown, and say what things are called. */
function useTold(store: Store, decisions: readonly Decision[], naming: readonly Decision[], subject: string): readonly Told[] {
  return useMemo(() => {
    const names = known([...naming, ...decisions], (id) => store.get(id));
    const t: Telling = {
      known: names, subject,
      person: (user) => personOf(store, user).name,
      describe: (changes) => describe(names as never, changes),
    };
    return decisions
      .map((decision) => ({ key: `${decision.user} ${decision.id}`, decision, lines: tell(decision, t), nameOf: names.nameOf }))
      .filter(({ lines }) => lines.length)
      .reverse();
  }, [store, decisions, naming, subject]);
}

function useAgeing(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), ageing);
    return () => clearInterval(timer);
  }, []);
}

function Entry({ one: { decision, lines, nameOf } }: { readonly one: Told }) {
  const { user, name, picture, at, rev } = decision;
  const { store } = useDesk();
  const by = personOf(store, user);
  const named = new Set(lines.flatMap(({ on, link }) => (link ? [on] : [])));
  const others = [...new Set(lines.flatMap(({ on }) => (on && !named.has(on) && nameOf(on) !== undefined ? [on] : [])))];
  return (
    <li class="history-entry">
      <Avatar user={user} name={by.name === user ? (name ?? user) : by.name} picture={by.picture ?? picture} />
      <div class="history-what">
        {lines.slice(0, lines.length > most ? most - 1 : most).map((line, i) => <OneLine key={i} line={line} />)}
        {lines.length > most && <Rest lines={lines.slice(most - 1)} />}
        <p class="file-about">
          <time dateTime={at} title={say("history.exactly", { when: exactly(at), rev })}>{ago(at)}</time>
          <MomentLink decision={decision} />
          {others.map((id) => <CardLink key={id} id={id}><bdi>{nameOf(id)}</bdi></CardLink>)}
        </p>
      </div>
    </li>
  );
}

/** What else the same mutation did, drawn when it is asked for. */
function Rest({ lines }: { readonly lines: readonly Line[] }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="history-line" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{say("history.more", { count: lines.length })}</summary>
      {open && lines.map((line, i) => <OneLine key={i} line={line} />)}
    </details>
  );
}

function OneLine({ line: { text, tone, on, link, words } }: { readonly line: Line }) {
  const at = on && link ? text.indexOf(link) : -1;
  return (
    <div class="history-line" data-tone={tone}>
      {at < 0
        ? <p>{text}</p>
        : <p>{text.slice(0, at)}<CardLink id={on!}>{link}</CardLink>{text.slice(at + link!.length)}</p>}
      {words && <details><summary>{words.title}</summary><blockquote dir="auto">{words.text}</blockquote></details>}
    </div>
  );
}

function CardLink({ id, children }: { readonly id: string; readonly children: ComponentChildren }) {
  const { board } = useDesk();
  return <a class="history-link" href={hrefOf(board, id)} onClick={follow}>{children}</a>;
}
