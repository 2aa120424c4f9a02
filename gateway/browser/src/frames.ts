// The frames of the wire (PROTOCOL.md) as the client reads them.

import type { Entity, Json, Role } from "./entities.js";

export interface Hello {
  readonly type: "hello";
  readonly protocol: number;
  readonly board: string;
  readonly user: string;
  readonly role: Role;
  readonly session: string;
  readonly epoch: string;
  readonly rev: number;
  readonly resumed: boolean;
  readonly serverTime: string;
  readonly limits: { readonly frameBytes: number; readonly inFlight: number; readonly ackTimeoutMs: number };
  /** The session may set up a rollback lab. */
  readonly lab?: boolean;
}

export interface Sync {
  readonly type: "sync";
  readonly rev: number;
  readonly entity: Entity & { readonly deleted?: boolean };
  readonly by?: string;
  readonly event?: string;
  /** More syncs of the same mutation follow: nothing is told before the last. */
  readonly more?: boolean;
}

export interface Ack {
  readonly type: "ack";
  readonly clientMutationId: string;
  readonly rev: number;
  readonly events: number;
}

export interface Nack {
  readonly type: "nack";
  readonly clientMutationId: string;
  readonly code: string;
  readonly reason: string;
  readonly retryable: boolean;
  readonly details?: { readonly [name: string]: Json };
}

export interface PresenceFrame {
  readonly type: "presence";
  readonly session: string;
  readonly user: string;
  readonly name?: string;
  readonly picture?: string;
  readonly data: Json;
}

export interface Loaded {
  readonly type: "loaded";
  readonly id: number;
  readonly rev: number;
  readonly entities: readonly Entity[];
  readonly before: string | null;
}

/** Your frame made no sense; with an id it was that load. */
export interface Broken {
  readonly type: "error";
  readonly code: string;
  readonly reason: string;
  readonly id?: number;
}

export type ServerFrame =
  | Hello | Sync | Ack | Nack | PresenceFrame | Loaded | Broken
  | { readonly type: "ready" | "lag"; readonly rev: number }
  | { readonly type: "pong"; readonly serverTime: string }
  | { readonly type: "goaway"; readonly reconnectAfterMs: number };
