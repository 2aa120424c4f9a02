// Does the server let this window in? A socket without a token is told after ten seconds, and one with a stale token tries
// for ever; a small question over HTTP is answered at once.

import { signal } from "@preact/signals";

import { address, Problem, request, who } from "../session.js";

/** What keeps this window out: there is no token, it is not accepted, or the name is none. */
export type Bar = "token" | "stale" | "name";
export const bar = signal<Bar | undefined>(undefined);

/** Asks. Without an answer nothing is known, and what was known stays. */
export async function knock(): Promise<void> {
  const { user, token } = who.value;
  const found = await ask().catch((e: unknown) => barOf(e, token));
  const now = who.value;
  if (found !== "unknown" && now.user === user && now.token === token) bar.value = found;
}

const ask = () => request(small()).then(() => undefined);
const small = () => address("/v1/boards?limit=1");

function barOf(problem: unknown, token: string): Bar | "unknown" {
  if (!(problem instanceof Problem)) return "unknown";
  if (problem.status === 401) return token ? "stale" : "token";
  return problem.status === 400 && !token ? "name" : "unknown";
}

/** Would the server accept the token? Rejects with a {@link Problem}. */
export async function tryToken(token: string): Promise<void> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Problem("unauthorized", 401, {});
  const url = small();
  url.searchParams.delete("user");
  await request(url, { headers: { Authorization: `Bearer ${token}` } });
}
