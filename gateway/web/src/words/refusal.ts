// A refusal in words, from its code and details.

import { en, say, type Key } from "./words.js";

export interface Reason {
  readonly code: string;
  readonly details: { readonly [name: string]: unknown };
}

/** What the reader calls an entity; undefined if it is not there. */
export type NameOf = (id: string) => string | undefined;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => (typeof value === "number" ? value : 0);
const known = (key: string): key is Key => key in en;

/** One sentence without its period; `what` is what the mutation was about, `asked` the name it wanted to give. */
export function wording({ code, details }: Reason, nameOf: NameOf, what = say("refused.unnamed"), asked = what): string {
  const name = (id: unknown) => nameOf(text(id)) ?? what;
  const { limit, count, cards, archived, field, needs } = details;
  switch (code) {
    case "wip_limit": return say("refused.wip_limit", { column: name(details["columnId"]), count: number(count), limit: number(limit) });
    case "name_taken": return say("refused.name_taken", { name: asked });
    case "not_found": return say("refused.not_found", { what: name(details["entityId"]) });
    case "archived": return say("refused.archived", { name: name(details["entityId"]) });
    case "conflict": return say("refused.conflict", { what });
    case "forbidden": {
      const key = `refused.forbidden.${text(needs)}`;
      return say(known(key) ? key : "refused.forbidden");
    }
    case "not_empty":
      return number(archived)
        ? say("refused.not_empty.archived", { count: number(cards), archived: number(archived) })
        : say("refused.not_empty", { count: number(cards) });
    case "limit": return say("refused.limit", { limit: number(limit) });
    case "invalid":
      return limit === undefined ? say("refused.invalid", { field: text(field) }) : say("refused.invalid.limit", { field: text(field), limit: number(limit) });
    case "expired": case "withdrawn": case "silence": return say("refused.late");
    case "too_large": return say("refused.too_large");
    case "lab": return say("refused.lab");
    case "closed": return say("refused.closed");
    case "offline": return say("refused.offline");
    default: return say("refused.other", { code });
  }
}
