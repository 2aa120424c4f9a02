// Changes of the list of members, as mutations.

import type { Change, Member, Role } from "@snapback/client";

export const roles: readonly Role[] = ["viewer", "commenter", "editor", "admin"];

export interface Newcomer {
  readonly user: string;
  readonly name: string;
  readonly role: Role;
}

const entry = ({ user, name, role }: Newcomer): Change => ({
  entityId: `member:${user}`, ifRev: 0, patch: { kind: "member", user, ...(name ? { name } : {}), role },
});

/**
 * Adds somebody. A board without members has everyone as its admin, and with the first one no longer: so the first one
 * added brings along who adds him, as an admin, in the same mutation.
 */
export function adding(members: readonly Member[], me: string | undefined, newcomer: Newcomer): readonly Change[] {
  if (members.length || me === undefined) return [entry(newcomer)];
  const myself = entry({ user: me, name: "", role: "admin" });
  return newcomer.user === me ? [entry({ ...newcomer, role: "admin" })] : [myself, entry(newcomer)];
}

/** Is he the only admin? A board keeps its last one. */
export const isLastAdmin = (members: readonly Member[], user: string): boolean =>
  members.some((m) => m.user === user && m.role === "admin") && members.filter((m) => m.role === "admin").length === 1;

/** Admins first, then by name. */
export function inOrder(members: readonly Member[], locale: string): readonly Member[] {
  const { compare } = new Intl.Collator(locale, { numeric: true });
  return [...members].sort((a, b) => roles.indexOf(b.role) - roles.indexOf(a.role) || compare(a.name || a.user, b.name || b.user));
}
