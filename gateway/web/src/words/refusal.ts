// A refusal in words, from its code and details.

import { en, say, type Key, type Params } from "./words.js";

export interface Reason {
  readonly code: string;
  readonly details: { readonly [name: string]: unknown };
}

/** What the reader calls an entity; undefined if it is not there. */
export type NameOf = (id: string) => string | undefined;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => (typeof value === "number" ? value : 0);
const known = (key: string): key is Key => key in en;

/** The text of the key with that ending, or the one without. */
const sayMost = (key: Key, ending: string, params: Params = {}): string => {
  const most = `${key}.${ending}`;
  return say(ending && known(most) ? most : key, params);
};

/** What a field is called. */
export function fieldName(field: string): string {
  const key = `field.${field}`;
  return known(key) ? say(key) : say("field.other", { field });
}

/**
 * One sentence without its period; `what` is what the mutation was about, `asked` the name it wanted to give, `kind` what
 * it is.
 */
export function wording({ code, details }: Reason, nameOf: NameOf, what = say("refused.unnamed"), asked = what, kind = ""): string {
  const name = (id: unknown) => nameOf(text(id)) ?? what;
  const { limit, count, cards, archived, field, needs } = details;
  switch (code) {
    case "wip_limit": return say("refused.wip_limit", { column: name(details["columnId"]), count: number(count), limit: number(limit) });
    case "name_taken": return say("refused.name_taken", { name: asked });
    case "not_found": return say("refused.not_found", { what: name(details["entityId"]) });
    case "archived": return say("refused.archived", { name: name(details["entityId"]) });
    case "conflict": return say("refused.conflict", { what });
    case "forbidden":
      if (kind === "member" && needs === "admin") return say("refused.forbidden.member"); // both have this code
      return sayMost("refused.forbidden", text(needs));
    case "not_empty":
      return number(archived)
        ? say("refused.not_empty.archived", { count: number(cards), archived: number(archived) })
        : say("refused.not_empty", { count: number(cards) });
    case "limit": return sayMost("refused.limit", kind, { limit: number(limit) });
    case "invalid":
      return limit === undefined
        ? say("refused.invalid", { field: fieldName(text(field)) })
        : say(field === "wipLimit" ? "refused.invalid.number" : "refused.invalid.limit", { field: fieldName(text(field)), limit: number(limit) });
    case "expired": case "withdrawn": case "silence": return say("refused.late");
    case "rate_limited": case "unavailable": case "undecided": return say("refused.busy");
    case "too_large": case "lab": case "closed": case "offline": case "unauthorized": case "id_reused": return say(`refused.${code}`);
    default: return say("refused.other", { code });
  }
}
