// Who you are, and what is asked of the server over HTTP.

import { signal } from "@preact/signals";

import { pleasantName } from "./people/names.js";

const NAME = "snapback.user";
const TOKEN = "snapback.token";

/** Whom this window acts for: by a token, or by name on a server without keys. */
export interface Who {
  readonly user: string;
  readonly token: string;
}

const asked = new URLSearchParams(location.search).get("user");

function recall(): Who {
  const user = asked ?? localStorage.getItem(NAME) ?? pleasantName();
  if (!asked) localStorage.setItem(NAME, user);
  return { user, token: sessionStorage.getItem(TOKEN) ?? "" };
}

export const who = signal<Who>(recall());

/** Another name, on a server without keys. A name in the address is this window's alone. */
export function rename(user: string): void {
  if (asked === null) localStorage.setItem(NAME, user);
  else {
    const url = new URL(location.href);
    url.searchParams.set("user", user);
    history.replaceState(history.state, "", url);
  }
  who.value = { ...who.value, user };
}

/** The token is kept as long as the window. */
export function signIn(token: string): void {
  sessionStorage.setItem(TOKEN, token);
  who.value = { ...who.value, token };
}

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
  if (token) headers.set("Authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, headers });
  } catch {
    throw new Problem("offline", 0, {});
  }
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => ({}))) as { code?: string; details?: { [name: string]: unknown } };
  throw new Problem(body.code ?? "unavailable", answer.status, body.details ?? {});
}

/** Where something of a board is: `of("demo", "log")`, `of("demo", "files", id, "content")`. */
export const of = (board: string, ...path: readonly string[]): URL =>
  address(["/v1/boards", board, ...path].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/"));
