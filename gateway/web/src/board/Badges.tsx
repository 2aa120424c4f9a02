// What a card says of itself in small: due date, description, checklists, comments, files, people.

import type { ComponentChildren } from "preact";

import type { Card } from "@snapback/client";

import { useCounts } from "../card/counts.js";
import { dueState } from "../card/due.js";
import { present } from "../card/now.js";
import { Person } from "../card/People.js";
import { Icon, type IconName } from "../parts/Icon.js";
import { exactly, onTime } from "../words/dates.js";
import { say } from "../words/words.js";

/** How many people are shown; the others are a number. */
const most = 3;

export function Badges({ card }: { readonly card: Card }) {
  const { id, due, done, description, assignees = [] } = card;
  const { items, done: checked, comments, files } = useCounts(id);
  const more = assignees.length - most;
  return (
    <span class="badges">
      {(due || done) && <Due due={due} done={done} />}
      {description && <Badge icon="text" name={say("card.hasDescription")} />}
      {items > 0 && <Badge icon="check" name={say("card.badge.items", { done: checked, all: items })} all={checked === items}>{say("card.badge.progress", { done: checked, all: items })}</Badge>}
      {comments > 0 && <Badge icon="comment" name={say("card.badge.comments", { count: comments })}>{say("card.count", { count: comments })}</Badge>}
      {files > 0 && <Badge icon="clip" name={say("card.badge.files", { count: files })}>{say("card.count", { count: files })}</Badge>}
      {assignees.length > 0 && (
        <span class="badge-people" role="group" aria-label={say("card.people")}>
          {assignees.slice(0, most).map((user) => <Person key={user} user={user} />)}
          {more > 0 && <span role="img" aria-label={say("card.badge.others", { count: more })}>{say("card.badge.more", { count: more })}</span>}
        </span>
      )}
    </span>
  );
}

function Badge({ icon, name, all, children }: {
  readonly icon: IconName;
  /** What it says, in words. */
  readonly name: string;
  /** All of it is done. */
  readonly all?: boolean;
  readonly children?: ComponentChildren;
}) {
  return <span class="badge" role="img" aria-label={name} title={name} data-all={all || undefined}><Icon name={icon} />{children && <span aria-hidden="true">{children}</span>}</span>;
}

function Due({ due, done }: { readonly due: string | undefined; readonly done: string | undefined }) {
  const now = present();
  if (!due) return <span class="badge due" data-due="done"><Icon name="check" />{say("card.due.done")}</span>;
  const state = dueState(due, done, now);
  return (
    <span class="badge due" data-due={state} title={say("card.due.at", { when: exactly(due) })}>
      <Icon name={state === "done" ? "check" : "clock"} />
      <span class="unseen">{say("card.due")}</span> <time dateTime={due}>{onTime(due)}</time>
      {state !== "later" && <> {say(`card.due.${state}`)}</>}
    </span>
  );
}
