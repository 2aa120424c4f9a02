// Who you are, and what is asked of the server over HTTP.

import { signal } from "@preact/signals";

import { pleasantName } from "./people/names.js";
import { own, shared } from "./storage.js";

const NAME = "snapback.user";
const TOKEN = "snapback.token";

/** Whom this window acts for: by a token, or by name on a server without keys. */
export interface Who {
  readonly user: string;
  readonly token: string;
  /** Another one for another person: what is open was opened for him before, and is opened anew. */
  readonly seat: number;
}

const asked = new URLSearchParams(location.search).get("user");

function recall(): Who {
  const user = asked ?? shared.get(NAME) ?? pleasantName();
  if (!asked) shared.set(NAME, user);
  return { user, token: own.get(TOKEN) ?? "", seat: 0 };
}

export const who = signal<Who>(recall());

/** Another name, on a server without keys. A name in the address is this window's alone. */
export function rename(user: string): void {
  if (asked === null) shared.set(NAME, user);
  else {
    const url = new URL(location.href);
    url.searchParams.set("user", user);
    history.replaceState(history.state, "", url);
  }
  who.value = { ...who.value, user, seat: who.value.seat + 1 };
}

/** Opens what is open anew, for the same person. */
export const enterAgain = (): void => void (who.value = { ...who.value, seat: who.value.seat + 1 });

/** The token is kept as long as the window. A fresh one for the same person leaves open what is open, and in it what waits. */
export function signIn(token: string): void {
  own.set(TOKEN, token);
  const { token: before, seat } = who.value;
  const isFresh = before !== "" && claimsOf(before).sub !== undefined && claimsOf(before).sub === claimsOf(token).sub;
  who.value = { ...who.value, token, seat: isFresh ? seat : seat + 1 };
  if (isFresh) dispatchEvent(new Event("online")); // the link need not wait for its next attempt
}

/** Forgets the token. What is kept of boards is `Offline.signOut`'s. */
export function signOut(): void {
  own.remove(TOKEN);
  who.value = { ...who.value, token: "", seat: who.value.seat + 1 };
}

/** What a token says of its bearer, unchecked: for a name to show, and nothing that matters. */
export function claimsOf(token: string): { readonly sub?: string; readonly name?: string } {
  try {
    const base64 = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const text = new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    const { sub, name } = JSON.parse(text) as { sub?: unknown; name?: unknown };
    return { ...(typeof sub === "string" && { sub }), ...(typeof name === "string" && { name }) };
  } catch {
    return {};
  }
}

/** May this be a user's name: 1 to 255 bytes, without characters nobody sees. */
export const isName = (user: string): boolean =>
  user !== "" && new TextEncoder().encode(user).length <= 255 && !/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufffd]/u.test(user);

/** What was asked for over HTTP was refused, or not answered (`code` "offline"). */
export class Problem extends Error {
  constructor(readonly code: string, readonly status: number, readonly details: { readonly [name: string]: unknown }) {
    super(code);
  }
}

/** The address of a path under the server, for the one who asks. */
export function address(path: string): URL {
  const url = new URL(path, location.origin);
  const { user, token } = who.value;
  if (!token) url.searchParams.set("user", user);
  return url;
}

/** Asks the server; rejects with a {@link Problem}, never with anything else. */
export async function request(url: URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const { token } = who.value;
  if (token && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, headers });
  } catch {
    throw new Problem("offline", 0, {});
  }
  if (answer.ok) return answer;
  throw problemOf(answer.status, await answer.json().catch(() => undefined));
}

/** What an answer says is the matter. Something between this page and the server may have given it, in any form. */
export function problemOf(status: number, body: unknown): Problem {
  const { code, details } = (isRecord(body) ? body : {}) as { readonly code?: unknown; readonly details?: unknown };
  return new Problem(typeof code === "string" ? code : "unavailable", status, isRecord(details) ? details : {});
}

const isRecord = (value: unknown): value is { readonly [name: string]: unknown } => typeof value === "object" && value !== null;

/** Where something of a board is: `of("demo", "log")`, `of("demo", "files", id, "content")`. */
export const of = (board: string, ...path: readonly string[]): URL =>
  address(["/v1/boards", board, ...path].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/"));
